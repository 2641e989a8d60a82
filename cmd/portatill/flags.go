package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// emptyCounts marks a flag of which an empty text says something: with `tenant set` an
// empty --outbound-url takes the address away.
const emptyCounts = "portatill_empty_counts"

// mayBeEmpty marks a flag with emptyCounts.
func mayBeEmpty(flags *pflag.FlagSet, name string) {
	flags.Lookup(name).Annotations = map[string][]string{emptyCounts: {"yes"}}
}

// refuseEmpty refuses every flag that was given with an empty text, for all commands at
// once: most read "" as not given, and a script whose variable is empty would refund
// without a key, or prove the books of every tenant.
func refuseEmpty(cmd *cobra.Command, _ []string) error {
	var faults []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Annotations[emptyCounts] != nil {
			return
		}
		empty := f.Value.Type() == "string" && f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				empty = empty || v == ""
			}
		}
		if empty {
			faults = append(faults, "--"+f.Name+": is empty; give a value, or leave it out")
		}
	})
	if len(faults) == 0 {
		return nil
	}
	return usagef("%s", strings.Join(append(faults, "see "+cmd.CommandPath()+" --help"), "\n"))
}
