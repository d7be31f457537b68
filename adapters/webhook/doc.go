// Package webhook calls receivers of outgoing webhooks over HTTP, as Standard Webhooks has it: signed, in bounded time, without
// following redirects, and never at an address inside the network that it runs in, unless that is allowed.
package webhook
