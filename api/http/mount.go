package http

// ProblemOf is what an error is to a client, for what is mounted beside the API: status, code and what is missing are the
// API's own. logged says whether the error is ours to know about.
func ProblemOf(err error) (p *Problem, logged bool) { return problem(err) }
