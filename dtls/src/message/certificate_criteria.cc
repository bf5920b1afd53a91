#include "message/certificate_criteria.h"

namespace sluice::dtls::message {
namespace {

using wire::ExtensionType;

// Reads the extension into `list` if it is present; false when it is malformed.
bool take_schemes(const ExtensionBlock& extensions, ExtensionType type,
                  wire::CodeList<SignatureScheme>& list) {
  const auto data = extensions.find(type);
  if (!data) return true;
  const auto decoded = decode_code_list<SignatureScheme>(*data, ListWidth::two);
  if (decoded) list = *decoded;
  return decoded.has_value();
}

bool take_authorities(const ExtensionBlock& extensions, std::vector<Bytes>& authorities) {
  const auto data = extensions.find(ExtensionType::certificate_authorities);
  if (!data) return true;
  wire::Reader reader(*data);
  const Bytes list = reader.vector16();
  auto names = decode_authorities(list);
  if (!reader.complete() || list.empty() || !names) return false;
  authorities = std::move(*names);
  return true;
}

bool take_types(const ExtensionBlock& extensions, CertificateTypeSet& types) {
  const auto data = extensions.find(ExtensionType::server_certificate_type);
  if (!data) return true;
  const auto list = decode_certificate_types(*data);
  if (list) types = set_of(*list);
  return list.has_value();
}

}  // namespace

std::optional<CertificateCriteria> criteria_of(const ExtensionBlock& extensions) {
  CertificateCriteria criteria;
  if (!take_schemes(extensions, ExtensionType::signature_algorithms, criteria.schemes) ||
      !take_schemes(extensions, ExtensionType::signature_algorithms_cert, criteria.chain_schemes) ||
      !take_authorities(extensions, criteria.authorities) ||
      !take_types(extensions, criteria.types)) {
    return std::nullopt;
  }
  return criteria;
}

CertificateCriteria criteria_of(const CertificateRequest12& request) {
  return {.schemes = request.schemes, .authorities = request.authorities};
}

}  // namespace sluice::dtls::message
