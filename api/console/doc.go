// Package console is the page at which operators work: server-rendered HTML, one stylesheet and a handful of ES modules, all
// in the binary, behind a Content-Security-Policy that allows nothing inline.
//
// It knows no rule of its own. Pages read the same queries as the JSON API, with the same viewer; buttons run the same
// commands, and what the domain refuses is shown as a sentence. Everything works without scripts, by links and forms; with
// them, the same addresses answer parts of the page, and the same push stream says when to fetch them again.
//
// A page is a frame (page.templ) around three parts: the rail, the list and the pane. What each shows is put together in
// the Go file of its name, what it looks like is in the .templ beside it, and every word of it is in words/.
package console

//go:generate go tool templ generate
