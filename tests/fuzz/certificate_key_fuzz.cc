// The walk to a certificate's key: if it yields a P-256 key, then d2i_X509 either fails or yields
// the same one. And raw public keys: only DER is one.
#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/certificate_key.h"
#include "crypto/key_exchange.h"
#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/endpoints.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;

constexpr std::size_t kP256InfoSize = 91;

crypto::KeyPtr key_by_x509(const Buffer& certificate) {
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.data());
  const auto* const end = at + certificate.size();
  const crypto::CertificatePtr x509(d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
  crypto::KeyPtr key(x509 && at == end ? X509_get_pubkey(x509.get()) : nullptr);
  ERR_clear_error();
  return key;
}

void check(const Buffer& certificate) {
  crypto::Library& library = test::environment().library();
  const auto found = crypto::certificate_key(library, certificate);
  SLUICE_CHECK(ERR_peek_error() == 0);
  const auto info = crypto::subject_public_key_info(certificate);
  if (info) {
    SLUICE_CHECK(info->data() >= certificate.data());
    SLUICE_CHECK(info->data() + info->size() <= certificate.data() + certificate.size());
  }
  const crypto::KeyPtr parsed = key_by_x509(certificate);
  if (!found) return;
  SLUICE_CHECK(info || parsed);
  if (found->type() != crypto::KeyType::ecdsa_p256 || !parsed) return;
  // Another form of key or of certificate: d2i_X509 has read it.
  if (!info || info->size() != kP256InfoSize) return;
  const EVP_PKEY* walked =
      crypto::peer_public_key(library, NamedGroup::secp256r1, info->last(crypto::kP256PointSize));
  SLUICE_CHECK(walked != nullptr && EVP_PKEY_eq(walked, parsed.get()) == 1);
}

void check_raw(const Buffer& info) {
  const auto found = crypto::raw_public_key(test::environment().library(), info);
  SLUICE_CHECK(ERR_peek_error() == 0);
  if (!found) return;
  const auto* at = reinterpret_cast<const unsigned char*>(info.data());
  const crypto::KeyPtr parsed(d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())));
  SLUICE_CHECK(parsed != nullptr);
  const auto again = crypto::public_key_info(parsed.get());
  SLUICE_CHECK(again && *again == info);
  SLUICE_CHECK(crypto::key_type(parsed.get()).value() == found->type());
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = sluice::test::copy_of(sluice::fuzz::bytes_of(data, size));
  sluice::fuzz::check(input);
  sluice::fuzz::check_raw(input);
  return 0;
}
