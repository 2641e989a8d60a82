package describe

import (
	"fmt"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/wire"
)

// writer builds indented source text.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		w.WriteString(strings.Repeat("    ", w.depth))
	}
	w.WriteString(text + "\n")
}

func (w *writer) open(format string, args ...any) {
	w.line(format, args...)
	w.depth++
}

func (w *writer) close(text string) {
	w.depth--
	w.line("%s", text)
}

// header is the comment that ServiceStack's tools look for. On an update they take the address from BaseUrl and send
// every following line that is not commented out back as a query parameter (wire.md section 5), so only options that
// we really have may stand there. An option in force is written without slashes, and therefore survives updates.
func (w *writer) header(o Options, options ...string) {
	w.line("/* Options:")
	if !o.Date.IsZero() {
		w.line("Date: %s", o.Date.UTC().Format(time.DateTime))
	}
	w.line("Version: %s", inComment(o.Version))
	w.line("Tip: To override an option, remove the // prefix before updating")
	w.line("BaseUrl: %s", inComment(o.BaseURL))
	w.line("")
	for _, option := range options {
		w.line("%s", option)
	}
	w.line("*/")
	w.line("")
}

// inComment keeps a setting from ending the comment or its line.
func inComment(s string) string {
	return strings.NewReplacer("*/", "", "\n", " ", "\r", " ").Replace(s)
}

func (o Options) commentOption() string {
	if o.NoComments {
		return "AddDescriptionAsComments: False"
	}
	return "//AddDescriptionAsComments: True"
}

// jsdoc writes a description above what follows.
func (w *writer) jsdoc(o Options, words string) {
	if words != "" && !o.NoComments {
		w.line("/** %s */", inComment(words))
	}
}

// TypeScript is the typed client for @servicestack/client: classes (for .d.ts: interfaces) with the declared names.
// Nothing is imported, so that the file compiles by itself; IReturn has the shape that the client asks for.
//
// Amounts of a request may be text, because a number of JavaScript is binary and cannot hold every amount: the till
// reads "0.10" exactly. Amounts of an answer are numbers, as in JSON.
func TypeScript(o Options, declarations bool) string {
	w := new(writer)
	namespace := "//GlobalNamespace: "
	if o.Namespace != "" {
		namespace = "GlobalNamespace: " + o.Namespace
	}
	w.header(o, namespace, o.commentOption())
	export := "export "
	switch {
	case o.Namespace != "" && declarations:
		w.open("declare namespace %s {", o.Namespace)
		export = ""
	case o.Namespace != "":
		w.open("export namespace %s {", o.Namespace)
	}
	w.open("%sinterface IReturn<T> {", export)
	w.line("createResponse(): T;")
	w.close("}")
	ts := typeScript{writer: w, options: o, export: export, declarations: declarations}
	request := requestType()
	_, base := split(request)
	ts.declare(&wire.Type{Name: baseType, Members: base}, "", true)
	requestTypes := typesOf(request)
	for _, t := range typesOf(responseType()) {
		ts.declare(t, "", false)
	}
	for _, t := range requestTypes {
		extends := ""
		if t.Name == request.Name {
			extends = baseType
		}
		ts.declare(t, extends, true)
	}
	if o.Namespace != "" {
		w.close("}")
	}
	return w.String()
}

type typeScript struct {
	*writer
	options      Options
	export       string
	declarations bool
}

func (w *typeScript) declare(t *wire.Type, extends string, sent bool) {
	w.line("")
	w.jsdoc(w.options, aboutTypes[t.Name])
	own := t.Members
	isRequest := extends != ""
	if isRequest {
		own, _ = split(t)
	}
	word, head := "class", t.Name
	if w.declarations {
		word = "interface"
	}
	switch {
	case isRequest && w.declarations:
		head += fmt.Sprintf(" extends %s, Partial<IReturn<StripePaymentResponse>>", extends)
	case isRequest:
		w.line(`// @Route(%q, "POST")`, Route)
		head += fmt.Sprintf(" extends %s implements IReturn<StripePaymentResponse>", extends)
	}
	w.open("%s%s %s {", w.export, word, head)
	for _, m := range own {
		w.jsdoc(w.options, about(t.Name, m.Name))
		public := "public "
		if w.declarations {
			public = ""
		}
		w.line("%s%s?: %s;", public, m.Name, typeScriptType(m, sent))
	}
	if !w.declarations {
		w.line("")
		super := ""
		if isRequest {
			super = "super(init); "
		}
		w.line("public constructor(init?: Partial<%s>) { %sObject.assign(this, init); }", t.Name, super)
		if isRequest {
			w.line("public getTypeName() { return '%s'; }", t.Name)
			w.line("public getMethod() { return 'POST'; }")
			w.line("public createResponse() { return new StripePaymentResponse(); }")
		}
	}
	w.close("}")
}

func typeScriptType(m wire.Member, sent bool) string {
	switch m.Kind {
	case wire.KindBool:
		return "boolean"
	case wire.KindInt:
		return "number"
	case wire.KindDecimal:
		if sent {
			return "number | string"
		}
		return "number"
	case wire.KindObject:
		return m.Type.Name
	case wire.KindObjects:
		return m.Type.Name + "[]"
	case wire.KindStrings:
		return "string[]"
	case wire.KindDictionary:
		return "{ [index: string]: string[] }"
	case wire.KindMap:
		return "{ [index: string]: string }"
	}
	return "string"
}
