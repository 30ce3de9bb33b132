package bench

import (
	"context"
	"io"

	"github.com/vaguemestre/vaguemestre/bench/vault"
)

// A vault that grows, measured beside one that stays small: see package vault.
type (
	// VaultOptions say what is measured.
	VaultOptions = vault.Options
	// VaultFigure is one act at one size.
	VaultFigure = vault.Figure
)

// RunVault measures a vault that grows.
func RunVault(ctx context.Context, o VaultOptions) ([]VaultFigure, error) { return vault.Run(ctx, o) }

// WriteVault writes its figures as a table to read.
func WriteVault(w io.Writer, figures []VaultFigure) { vault.WriteText(w, figures) }
