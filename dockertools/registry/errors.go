package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// explain says what an error of a registry means for the user.
func explain(verb string, ref name.Reference, err error) error {
	host := ref.Context().RegistryStr()
	var source *SourceError
	if errors.As(err, &source) {
		return fmt.Errorf("%s %s: %w", verb, ref, source)
	}
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	// Errors of the first contact come as text only.
	if errors.As(err, &authority) || errors.As(err, &hostname) || strings.Contains(err.Error(), "x509: ") {
		return fmt.Errorf("%s %s: the certificate of registry %s cannot be checked; put that of its authority into ~/.config/containers/certs.d/%s/ca.crt, or do without with --insecure: %w", verb, ref, host, host, err)
	}
	var refused *transport.Error
	if errors.As(err, &refused) {
		switch refused.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("%s %s: the registry does not allow it; log in with 'docker login %s' or 'podman login %s': %w", verb, ref, host, host, err)
		case http.StatusNotFound:
			if verb == "pull" {
				return fmt.Errorf("%s %s: the registry has no such image: %w", verb, ref, err)
			}
		case http.StatusRequestEntityTooLarge:
			return fmt.Errorf("%s %s: the registry, or a proxy before it, takes no blob that large: %w", verb, ref, err)
		case http.StatusTooManyRequests:
			return fmt.Errorf("%s %s: the registry asks to come back later: %w", verb, ref, err)
		}
		return fmt.Errorf("%s %s: %w", verb, ref, err)
	}
	if errors.Is(err, remote.ErrSchema1) {
		return fmt.Errorf("%s %s: its manifest is of a form from before 2016 (schema 1), which clients read no longer; push the image anew with a newer one", verb, ref)
	}
	if strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return fmt.Errorf("%s %s: registry %s speaks plain HTTP; allow that with --insecure: %w", verb, ref, host, err)
	}
	return fmt.Errorf("%s %s: %w", verb, ref, err)
}
