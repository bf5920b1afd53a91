// What the descriptions of both sides agree on about DTLS: our role, and who the peer is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>
#include <sluice/nice/description.h>

namespace sluice::nice {

struct DtlsAgreement {
  dtls::Role role;                              // ours
  std::vector<dtls::Fingerprint> fingerprints;  // the peer's
  std::string tls_id;                           // the peer's; empty: none
};

// The agreement after a description of the peer's. `present` is the one before, if any;
// `answer_setup` is our role where the peer leaves it to us (actpass counts as passive).
DtlsAgreement agreement_after(const std::optional<DtlsAgreement>& present,
                              const Description& description, Setup answer_setup);

// RFC 8842 section 3.1: another set of fingerprints, another tls-id or another role means a new
// DTLS association. The order of the fingerprints doesn't matter (section 5.1).
bool is_same_association(const DtlsAgreement& a, const DtlsAgreement& b);

}  // namespace sluice::nice
