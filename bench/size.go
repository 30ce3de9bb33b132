package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseSize reads "2KiB", "1 MiB" or a number of octets.
func ParseSize(s string) (int, error) {
	number, unit := strings.TrimSpace(s), 1
	for suffix, octets := range map[string]int{"kib": 1 << 10, "mib": 1 << 20} {
		if rest, ok := strings.CutSuffix(strings.ToLower(number), suffix); ok {
			number, unit = strings.TrimSpace(rest), octets
			break
		}
	}
	n, err := strconv.Atoi(number)
	if err != nil || n <= 0 || n > 1<<30 {
		return 0, fmt.Errorf("size %q: write 2KiB, 1MiB or a number of octets", s)
	}
	return n * unit, nil
}

// sizeText writes a size as ParseSize reads it, with a space.
func sizeText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d octets", n)
}
