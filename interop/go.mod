module github.com/nekton-go/nekton/interop

go 1.26.0
