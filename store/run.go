package store

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// Panic is what Write panics with when its function did.
type Panic struct {
	// Value is what the function panicked with.
	Value any
	// Stack is the stack of the goroutine that ran the function.
	Stack []byte
}

// Error returns the value and the function's stack.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// outcome is how one run of a function ended.
type outcome struct {
	err      error // the function's verdict, or that of a statement it ignored
	engine   error // the first error of a statement, whatever the function made of it
	panicked *Panic
	exited   bool // runtime.Goexit
	topics   []string
}

// run calls fn and notes how it ended. After runtime.Goexit it does not return,
// but out says so.
func run(tx *Tx, fn func(*Tx) error, out *outcome) {
	*out = outcome{exited: true}
	defer func() {
		if v := recover(); v != nil {
			*out = outcome{panicked: &Panic{Value: v, Stack: debug.Stack()}}
		}
		_ = tx.finish(nil) // closes the rows of a function that did not come back
	}()
	err := tx.finish(fn(tx))
	*out = outcome{err: err, engine: tx.failed, topics: tx.topics}
}

// bad reports whether nothing of the function may stay.
func (o *outcome) bad() bool { return o.err != nil || o.panicked != nil || o.exited }

// deliver hands the outcome to the caller, in the caller's goroutine.
func (o *outcome) deliver() error {
	if o.panicked != nil {
		panic(o.panicked)
	}
	if o.exited {
		runtime.Goexit()
	}
	return o.err
}

// now returns the time as Tx.Now shows it.
func (o Options) now() time.Time { return o.Clock().UTC().Truncate(time.Microsecond) }

// publish hands sorted topics, each once, to the hook.
func (o Options) publish(topics []string) {
	if len(topics) == 0 {
		return
	}
	slices.Sort(topics)
	o.Publish(slices.Compact(topics))
}
