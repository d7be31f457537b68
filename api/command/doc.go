// Package command handles commands: it loads the aggregate by walking back, lets the domain decide, and appends one commit.
package command
