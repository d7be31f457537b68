package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/turno-desk/turno/adapters/vault"
)

type keyCmd struct {
	New keyNewCmd `cmd:"" help:"Write a new key: 32 random bytes in base64, mode 0600."`
}

type keyNewCmd struct {
	File string `arg:"" type:"path" help:"A file that is not there yet."`
}

func (cmd keyNewCmd) Run(p *program) error {
	err := vault.MakeKeyFile(cmd.File)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: a key is not written over", cmd.File)
	}
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	fmt.Fprintf(p.stdout, "A new key is in %s. Keep a copy elsewhere: what is encrypted with it is lost with it.\n", cmd.File)
	return nil
}
