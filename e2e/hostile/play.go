package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// play runs the steps of a script. A broken expectation of a control, or of a
// step that prepares the attack, is an error; of the attack itself, a note.
func (p *peer) play() error {
	steps := p.v.script.Steps
	for i, step := range steps {
		var next map[string]json.RawMessage
		if i+1 < len(steps) {
			next = steps[i+1]
		}
		done, err := p.step(step, next)
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		if done {
			return nil
		}
	}
	return nil
}

// step plays one step; done says that the connection was closed by the script.
func (p *peer) step(step, next map[string]json.RawMessage) (done bool, err error) {
	has := func(key string) bool { _, ok := step[key]; return ok }
	if has("if_prev") && !matches(p.last, []string{str(step["if_prev"])}) {
		return false, nil
	}
	switch {
	case has("s"):
		p.say(str(step["s"]))
	case has("b64"):
		b, err := p.decode(str(step["b64"]))
		if err != nil {
			return false, err
		}
		p.send(b)
	case has("rep"):
		return false, p.repeat(step["rep"])
	case has("split"):
		var parts []string
		if err := json.Unmarshal(step["split"], &parts); err != nil {
			return false, err
		}
		for _, part := range parts {
			p.say(part)
			time.Sleep(time.Duration(num(step["gap"])) * time.Millisecond)
		}
	case has("drip"):
		return false, p.drip(step["drip"])
	case has("tls"):
		return false, p.handshake(has("may_fail"), next)
	case has("x"):
		patterns := []string{str(step["x"])}
		if has("or") {
			patterns = append(patterns, str(step["or"]))
		}
		return false, p.expect(patterns, step)
	case has("any"):
		var patterns []string
		if err := json.Unmarshal(step["any"], &patterns); err != nil {
			return false, err
		}
		return false, p.expect(patterns, step)
	case has("loop"):
		return p.loop(step["loop"], int(num(step["count"])))
	case has("auth"), has("login"):
		return false, p.login(step)
	case has("sasl_plain"):
		return false, p.saslPlain(step["sasl_plain"])
	case has("x_none"):
		if got := p.reply(time.Duration(num(step["x_none"])) * time.Millisecond); got != "" && got != closed {
			return false, fmt.Errorf("a reply where none may come: %q", got)
		}
	case has("drain"):
		p.drain(time.Duration(num(step["drain"])) * time.Millisecond)
	case has("wait"), has("no_read"):
		time.Sleep(time.Duration(num(step["wait"])+num(step["no_read"])) * time.Millisecond)
	case has("close"):
		if str(step["close"]) == "rst" {
			_ = p.raw.SetLinger(0)
			_ = p.raw.Close() // gone is gone
		} else {
			_ = p.raw.CloseWrite()
			p.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			discard(p.r)
			_ = p.raw.Close() // gone is gone
		}
		return true, nil
	default:
		return false, fmt.Errorf("this runner does not know the step %v", keys(step))
	}
	return false, nil
}

// expect reads a reply and holds it against the patterns.
func (p *peer) expect(patterns []string, step map[string]json.RawMessage) error {
	within := p.timeout
	got := p.reply(within)
	if skip := str(step["skip"]); skip != "" {
		for matches(got, []string{skip}) {
			got = p.reply(within)
		}
	}
	if not := str(step["not"]); not != "" && strings.Contains(got, not) {
		return fmt.Errorf("a line of the reply holds %q", not)
	}
	if matches(got, patterns) {
		return nil
	}
	if got == "" {
		return fmt.Errorf("no reply within %v", within)
	}
	saw := fmt.Sprintf("wanted %q, saw %q", patterns, clip(got))
	if p.v.control() {
		return fmt.Errorf("the control was not accepted: %s", saw)
	}
	p.notes = append(p.notes, saw)
	return nil
}

// repeat sends a unit many times; replies are read meanwhile so that neither side
// waits for the other, but are not looked at.
func (p *peer) repeat(raw json.RawMessage) error {
	var args []any
	if err := json.Unmarshal(raw, &args); err != nil || len(args) != 2 {
		return fmt.Errorf("rep wants [unit, count]")
	}
	unit, _ := args[0].(string)
	count, _ := args[1].(float64)
	unit = p.m.text(unit)
	var batch []byte
	for i := range int(count) {
		batch = append(batch, latin1(strings.ReplaceAll(unit, "%d", fmt.Sprint(i)))...)
		if len(batch) > 64<<10 {
			p.send(batch)
			batch = batch[:0]
		}
	}
	p.send(batch)
	return nil
}

// drip sends one octet at a time until the server has had enough.
func (p *peer) drip(raw json.RawMessage) error {
	var args []any
	if err := json.Unmarshal(raw, &args); err != nil || len(args) != 2 {
		return fmt.Errorf("drip wants [text, ms]")
	}
	text, _ := args[0].(string)
	gap, _ := args[1].(float64)
	limit := 120 * time.Second
	if p.v.Expect.MaxS > 0 {
		limit = time.Duration(p.v.Expect.MaxS * float64(time.Second))
	}
	begin := time.Now()
	for _, c := range latin1(p.m.text(text)) {
		p.send([]byte{c})
		if got := p.reply(time.Duration(gap) * time.Millisecond); got != "" {
			p.notes = append(p.notes, fmt.Sprintf("after %v: %s", time.Since(begin).Round(time.Second), clip(got)))
			return nil
		}
		if time.Since(begin) > limit {
			return fmt.Errorf("after %v of dripping the connection still stands", limit)
		}
	}
	return nil
}

func str(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

func num(raw json.RawMessage) float64 {
	var n float64
	_ = json.Unmarshal(raw, &n)
	return n
}

func keys(step map[string]json.RawMessage) []string {
	var out []string
	for k := range step {
		out = append(out, k)
	}
	return out
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}

// loop repeats steps.
func (p *peer) loop(raw json.RawMessage, count int) (done bool, err error) {
	var steps []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &steps); err != nil {
		return false, err
	}
	for range count {
		for i, step := range steps {
			next := steps[(i+1)%len(steps)]
			if done, err := p.step(step, next); done || err != nil {
				return done, err
			}
		}
	}
	return false, nil
}

// login logs in as the fixture's user: the first professional of the hospital.
func (p *peer) login(map[string]json.RawMessage) error {
	user := p.users["user1"]
	p.send([]byte("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+user.Login+"\x00"+user.Password)) + "\r\n"))
	if got := p.reply(p.timeout); !matches(got, []string{"^235"}) {
		return fmt.Errorf("the fixture's login answered %q", clip(got))
	}
	return nil
}

// saslPlain builds an AUTH PLAIN message from its fields.
func (p *peer) saslPlain(raw json.RawMessage) error {
	var f struct{ Authzid, Authcid, Secret string }
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	if user, ok := p.users[f.Authcid]; ok {
		f.Authcid = user.Login
	}
	for name, user := range p.users {
		f.Secret = strings.ReplaceAll(f.Secret, "{{pass:"+name+"}}", user.Password)
	}
	message := p.m.text(f.Authzid) + "\x00" + p.m.text(f.Authcid) + "\x00" + f.Secret
	p.send([]byte("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte(message)) + "\r\n"))
	return nil
}
