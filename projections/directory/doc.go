// Package directory builds the view that tells who and what there is: contacts with their addresses and annotations,
// operators with their presence, departments, channels and tokens, for reading back and searching.
package directory
