package jetstream

import (
	"fmt"
	"strings"
	"sync"

	"go.uber.org/zap"
)

// serverLog hands what the embedded server says to zap. The server's notices are details of a start and a stop: they are
// logged as debug. A fatal error does not end the process: it is what Host returns.
type serverLog struct {
	log   *zap.Logger
	once  sync.Once
	fatal chan struct{}
	why   error
}

func newServerLog(log *zap.Logger) *serverLog {
	return &serverLog{log: log.Named("nats").WithOptions(zap.AddCallerSkip(1)), fatal: make(chan struct{})}
}

// Noticef is what a start or a stop tells.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Warnf is what an operator should know. That the server is told its password in plain text is none of it: the password is
// random, and nobody but the server's own user can read it.
func (l *serverLog) Warnf(format string, v ...any) {
	if !strings.HasPrefix(format, "Plaintext passwords") {
		l.log.Warn(fmt.Sprintf(format, v...))
	}
}

// Errorf is what went wrong.
func (l *serverLog) Errorf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Debugf is never asked for.
func (l *serverLog) Debugf(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Tracef is never asked for.
func (l *serverLog) Tracef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Fatalf is what keeps the server from running.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.log.Error(fmt.Sprintf(format, v...))
	l.once.Do(func() {
		l.why = fmt.Errorf(format, v...)
		close(l.fatal)
	})
}
