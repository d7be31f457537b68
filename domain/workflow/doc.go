// Package workflow decides which workflows a conversation starts: what counts as their trigger, whether their conditions
// hold, and when enough is enough. It also has the ready-made ones.
package workflow
