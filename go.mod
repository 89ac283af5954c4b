module github.com/nekton-go/nekton

go 1.26
