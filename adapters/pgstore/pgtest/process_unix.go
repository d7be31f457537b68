//go:build unix

package pgtest

import (
	"errors"
	"os"
	osuser "os/user"
	"strconv"
	"syscall"
)

// unprivileged is whom to run the server as, since PostgreSQL refuses root; nil is oneself.
func unprivileged() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return nil, err
		}
		return &account{uid: uid, gid: gid}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
}

// detached runs a process as owner and out of reach of the terminal's interrupt: the tests end it themselves.
func detached(owner *account) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if owner != nil {
		a.Credential = &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}
	}
	return a
}

// ended reports whether a child of this process has ended, without waiting for it.
func ended(pid int) bool {
	gone, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	return err == nil && gone == pid
}
