//go:build !unix

package pgtest

import "syscall"

func unprivileged() (*account, error) { return nil, nil }

func detached(*account) *syscall.SysProcAttr { return nil }

func ended(int) bool { return false }
