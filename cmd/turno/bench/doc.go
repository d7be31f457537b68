// Package bench measures Turno against the bare engine below it, in the same run and on the same machine, and prints the
// ratio of both: machines differ, ratios hardly do.
package bench
