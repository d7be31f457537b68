package storetest

import "testing"

// faults are the tests for backends that can be made to suffer.
func faults(t *testing.T, open func(t *testing.T) Backend) {}
