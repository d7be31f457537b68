// Package threadstate keeps the states of long threads, sealed like the log, so that a command need not walk back through
// hundreds of commits.
package threadstate
