#include "dtls_agreement.h"

#include <algorithm>

namespace sluice::nice {
namespace {

bool is_same_set(const std::vector<dtls::Fingerprint>& a, const std::vector<dtls::Fingerprint>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

DtlsAgreement agreement_after(const std::optional<DtlsAgreement>& present,
                              const Description& description, Setup answer_setup) {
  DtlsAgreement next{
      .role = answer_setup == Setup::active ? dtls::Role::client : dtls::Role::server,
      .fingerprints = description.fingerprints,
      .tls_id = description.tls_id};
  switch (description.setup) {
    case Setup::active:
      next.role = dtls::Role::server;
      break;
    case Setup::passive:
      next.role = dtls::Role::client;
      break;
    case Setup::actpass:
      // RFC 8842 section 5.5: an offer that changes nothing says actpass too, and the roles stay.
      if (present && present->tls_id == next.tls_id &&
          is_same_set(present->fingerprints, next.fingerprints)) {
        next.role = present->role;
      }
      break;
  }
  return next;
}

bool is_same_association(const DtlsAgreement& a, const DtlsAgreement& b) {
  return a.role == b.role && a.tls_id == b.tls_id && is_same_set(a.fingerprints, b.fingerprints);
}

}  // namespace sluice::nice
