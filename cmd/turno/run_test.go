package main

import (
	"strings"
	"testing"
)

func TestHelpIsAnsweredAndIsNoFailure(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"import", "--help"}} {
		out, _, err := turno(t, args...)
		if err != nil || !strings.Contains(out, "Usage: turno") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

func TestWhatTheCommandLineDoesNotKnowIsRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"fly"}, {"serve", "--sync", "never"}, {"serve", "--parts", "wheels"}, {"projector", "wheels"},
		{"replay", "--from", "yesterday"}, {"timeline", "a ticket"}, {"serve", "--nats", "nats://localhost:1", "--parts", "log"}} {
		if _, _, err := turno(t, args...); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

func TestVersionNamesTheProgram(t *testing.T) {
	out, _, err := turno(t, "version")
	if err != nil || !strings.HasPrefix(out, "turno ") {
		t.Errorf("%v %q", err, out)
	}
}

func TestAFlagCanComeFromTheEnvironment(t *testing.T) {
	var out output
	err := run(t.Context(), []string{"replay"}, env(map[string]string{"TURNO_DATA": t.TempDir() + "/nothing"}), &out, &out)
	if err == nil || !strings.Contains(err.Error(), "/nothing") {
		t.Errorf("the folder of TURNO_DATA was not looked at: %v", err)
	}
}

func TestReplayAndTimelineNeverMakeALog(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"replay", "--data", dir}, {"timeline", "1", "--data", dir}} {
		if _, _, err := turno(t, args...); err == nil || !strings.Contains(err.Error(), "no log") {
			t.Errorf("%v: %v", args, err)
		}
	}
}
