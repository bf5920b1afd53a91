#include "support/endpoints.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <cstdlib>

#include <memory>
#include <stdexcept>
#include <string>

namespace sluice::test {
namespace {

// A certificate signed by its own key, as PEM, by libcrypto alone: the engine makes only P-256
// ones.
dtls::Identity make_identity(EVP_PKEY* raw_key) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(raw_key, EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x509 = certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key.get());
  X509_NAME* name = X509_get_subject_name(x509);
  static constexpr unsigned char kName[] = "test";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0);
  X509_set_issuer_name(x509, name);
  X509_sign(x509, key.get(), EVP_sha256());

  const auto to_text = [](BIO* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string copy(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return copy;
  };
  BIO* certificate_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, x509);
  BIO* key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return must(dtls::Identity::from_pem(to_text(certificate_bio), to_text(key_bio)));
}

}  // namespace

dtls::Environment& environment() {
  // The tests run once more with 1, for which each connection is cold whenever it is used.
  static const char* const kMaxWarm = std::getenv("SLUICE_TEST_MAX_WARM");
  static dtls::Environment instance =
      must(kMaxWarm == nullptr
               ? dtls::Environment::make()
               : dtls::Environment::make({.max_warm_connections = std::stoul(kMaxWarm)}));
  return instance;
}

const dtls::Identity& ecdsa_identity() {
  static const dtls::Identity kIdentity = must(dtls::Identity::self_signed(environment()));
  return kIdentity;
}

const dtls::Identity& rsa_identity() {
  static const dtls::Identity kIdentity = make_identity(EVP_RSA_gen(2048));
  return kIdentity;
}

const dtls::Identity& p384_identity() {
  static const dtls::Identity kIdentity = make_identity(EVP_EC_gen("P-384"));
  return kIdentity;
}

dtls::ConfigOptions options() {
  dtls::ConfigOptions options;
  options.identities = {ecdsa_identity()};
  return options;
}

dtls::ConfigOptions options_for(dtls::ProtocolVersion version) {
  dtls::ConfigOptions only = options();
  only.min_version = version;
  only.max_version = version;
  return only;
}

dtls::ConfigPtr make_config(dtls::ConfigOptions options) {
  return must(dtls::Config::make(std::move(options)));
}

Peer make_client(const dtls::ConfigPtr& config, dtls::Instant now,
                 const std::optional<dtls::ResumableSession>& session) {
  return Peer(must(dtls::Connection::client(config, environment(), kPath, now, session)));
}

Peer make_server(const dtls::ConfigPtr& config, dtls::Instant now) {
  return Peer(must(dtls::Connection::server(config, environment(), kPath, now)));
}

void exchange(Peer& client, Peer& server, dtls::Instant now) {
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto& datagram : client.take_datagrams()) {
      server.receive(std::move(datagram), now);
      moved = true;
    }
    for (auto& datagram : server.take_datagrams()) {
      client.receive(std::move(datagram), now);
      moved = true;
    }
  }
}

}  // namespace sluice::test
