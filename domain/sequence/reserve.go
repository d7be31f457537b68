package sequence

// Reserve is the block of that size after the last number that was handed out.
func Reserve(last, size int64) Reserved { return Reserved{From: last + 1, To: last + size} }

// Skip reserves everything up to `to`, for numbers that may have been handed out by a log that was lost; nil when they are
// reserved already.
func Skip(last, to int64) []Event {
	if to <= last {
		return nil
	}
	return []Event{Reserved{From: last + 1, To: to}}
}

// Evolve is the last number that is handed out after an event.
func Evolve(last int64, e Event) int64 {
	if r, ok := e.(Reserved); ok {
		return max(last, r.To)
	}
	return last
}
