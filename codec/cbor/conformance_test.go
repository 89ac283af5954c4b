package cbor_test

import (
	"testing"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
)

func TestConformance(t *testing.T) {
	codectest.Run(t, func() core.Dialect { return cbor.New(cbor.Config{}) })
}
