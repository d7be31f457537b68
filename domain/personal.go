package domain

// Personal is text that a person typed or that names one: names, addresses, message texts, notes, reasons. It is plain in
// memory; the codec seals every field of this type (also inside maps, slices and nested structs) before a commit leaves the
// process and opens it on the way back. Nothing personal may travel in a field of another type.
type Personal string

// Erased is what a personal field reads once its key was destroyed.
const Erased Personal = "[erased]"
