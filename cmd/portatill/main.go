// Command portatill is the till: it serves pages, portals and webhooks, and has
// the operator's commands. This package wires the others together and holds no
// rule.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes: 1 for what was refused or failed, 2 for a wrong call or settings.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program with its surroundings as arguments, so that tests can
// run it. It returns the exit code.
func run(ctx context.Context, args []string, env func(string) (string, bool), in io.Reader, out, errOut io.Writer) int {
	a := &app{env: env, in: in, out: out, errOut: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintln(errOut, e.Error()) //nolint:errcheck // nothing to be done about a closed stderr
		return exitUsage
	}
	fmt.Fprintln(errOut, "portatill: "+err.Error()) //nolint:errcheck // as above
	return exitFailed
}

// usageError is a wrong call, or settings that do not work: exit code 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "portatill",
		Short:         "A self-hosted till between a reseller's portal, Stripe and PortaBilling",
		Long:          "Portatill takes StripePaymentRequests, shows customers a page, sends them through Stripe's\nCheckout and makes the books agree with what Stripe took.",
		Example:       "  portatill serve --sandbox      try it, with a Stripe double and no account",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: refuseEmpty,
		RunE:              func(cmd *cobra.Command, args []string) error { return cmd.Help() },
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("portatill: unknown command %q; see portatill --help", args[0])
			}
			return nil
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s: %s; see %s --help", cmd.CommandPath(), flagFault(err), cmd.CommandPath())
	})
	root.AddCommand(a.serveCommand(), a.sandboxCommand(), a.migrateCommand(), a.tenantCommand(), a.adminCommand(), a.ordersCommand(), a.refundCommand(), a.unclaimedCommand(), a.postingsCommand(),
		a.settleCommand(), a.sweepCommand(), a.eventsCommand(), a.booksCommand(), a.exportCommand(), a.payoutsCommand(), a.mailCommand(), a.doctorCommand(), a.secretsCommand(), a.configCommand(), a.demoCommand(), a.decodeCommand(), a.encodeCommand(), a.versionCommand())
	return root
}

// The words of package strconv, which pflag hands on.
var (
	notANumber = regexp.MustCompile(`strconv\.\w+: parsing .*: invalid syntax$`)
	notATime   = regexp.MustCompile(`time: .*$`)
	tooLarge   = regexp.MustCompile(`strconv\.\w+: parsing .*: value out of range$`)
)

// flagFault says what is wrong with a flag without the names of Go's functions.
func flagFault(err error) string {
	text := notATime.ReplaceAllString(err.Error(), "that is not a time such as 90m or 24h, or a longer one than this program can count")
	return tooLarge.ReplaceAllString(notANumber.ReplaceAllString(text, "that is not of the kind it must be"), "that number is too large or too small")
}

// version is set by the linker for releases.
var version = ""

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  portatill version --json", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.print(asJSON, map[string]string{"version": versionText()}, func(w io.Writer) {
				line(w, "portatill %s", versionText())
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
