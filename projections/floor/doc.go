// Package floor is what goes on at the desk right now: which conversations are open and whose they are, who is there, and
// what is due when. The effects decide on it. Its view holds the rows that they start from, and the table of due times.
package floor
