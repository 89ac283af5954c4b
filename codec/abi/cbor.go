package abi

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/nekton-go/nekton/core"
)

// Both modes are immutable once made.
var (
	encMode = must(cbor.CoreDetEncOptions().EncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   16,
		MaxArrayElements:  1 << 17,
		MaxMapPairs:       1 << 10,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options above are constants: this cannot happen
	}
	return v
}

// appendCBOR appends v. On error dst comes back as it was.
func appendCBOR(dst []byte, v any) ([]byte, error) {
	b, err := encMode.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("abi: %w: %w", err, core.FaultInvalid)
	}
	return append(dst, b...), nil
}

// decode reads the one value that fills b.
func decode(b []byte, v any) error {
	if err := decMode.Unmarshal(b, v); err != nil {
		return fmt.Errorf("abi: %w: %w", err, core.FaultInvalid)
	}
	return nil
}
