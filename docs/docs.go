// Package docs holds those documents that programs serve.
package docs

import _ "embed" // for OpenAPI

// OpenAPI describes the agent's HTTP API.
//
//go:embed openapi.yaml
var OpenAPI string
