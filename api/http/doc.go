// Package http serves Turno over HTTP: one table of routes with the permission beside each, handlers that translate and
// decide nothing, one place that turns errors into application/problem+json, an event feed and a lossless push stream.
//
// The contract is api/openapi.yaml; a test fails when it and the table drift apart.
package http
