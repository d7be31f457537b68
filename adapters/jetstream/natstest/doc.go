// Package natstest starts real nats-server processes for tests: alone or as a cluster, with certificates made for the
// occasion, killed and started again at will.
package natstest
