package porter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/seal"
)

func space(t *testing.T, id string) *seal.Keyring {
	t.Helper()
	keys, err := seal.NewSpace(id, true)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func locked(keys *seal.Keyring) bool {
	_, err := keys.SealRecord("p", "id", nil)
	return reason(err) == "space-locked"
}

// DESIGN section 4: the keys of a web session are gone when it is idle for 30
// minutes, and after eight hours, whether anybody comes back or not.
func TestWebKeysAreGoneWhenTheSessionIsIdleAndAfterEightHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := porter.NewRings(10)
		idle, busy := space(t, "idle"), space(t, "busy")
		for id, keys := range map[string]*seal.Keyring{"idle": idle, "busy": busy} {
			if _, err := table.Put(id, keys, time.Now().Add(8*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		for range 31 { // every 15 minutes until 7 h 45
			time.Sleep(15 * time.Minute)
			synctest.Wait()
			if !table.Take("busy") {
				t.Fatal("a busy session has no keys")
			}
		}
		if !locked(idle) || locked(busy) {
			t.Errorf("idle locked: %t, busy locked: %t", locked(idle), locked(busy))
		}
		time.Sleep(15*time.Minute + time.Second)
		synctest.Wait()
		if !locked(busy) || table.Take("busy") {
			t.Error("keys after eight hours")
		}
	})
}

func TestTheTableOfKeysIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := porter.NewRings(2)
		put := func(id string) (*seal.Keyring, error) {
			keys := space(t, id)
			_, err := table.Put(id, keys, time.Now().Add(8*time.Hour))
			return keys, err
		}
		a, _ := put("a")
		time.Sleep(time.Minute)
		b, _ := put("b")
		c, err := put("c")
		if reason(err) != "sessions-full" || !locked(c) || locked(a) || locked(b) {
			t.Errorf("a third while two are busy: %v", err)
		}
		time.Sleep(90 * time.Second)
		if c, err = put("c"); err != nil || !locked(a) || locked(b) || locked(c) {
			t.Errorf("a third while one is silent: %v", err)
		}
		if table.Take("a") || !table.Take("b") || !table.Take("c") {
			t.Error("the silent one should have made room")
		}
		// Two requests release the keys of one session at once: one release stays.
		again, err := put("b")
		if err != nil || !locked(again) || locked(b) {
			t.Errorf("released twice: %v", err)
		}
		table.Take("b")
		time.Sleep(time.Hour)
		synctest.Wait()
		if !locked(b) || !locked(c) {
			t.Error("keys are left")
		}
	})
}

func TestADeviceIsCalledByWhatItsOwnerKnows(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0":                                                                    "Firefox, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                   "Chrome, Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   "Safari, macOS",
		"": "Browser", "<script>alert(1)</script>": "Browser", "curl/8.5.0": "curl",
	} {
		if got := porter.DeviceLabel(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
