#include "gnutls_peer.h"

#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace sluice::bench {
namespace {

void check(int result) {
  if (result < 0) throw std::runtime_error(gnutls_strerror(result));
}

using Hash = std::array<unsigned char, 32>;

Hash fingerprint_of(const gnutls_datum_t& certificate) {
  Hash hash{};
  std::size_t size = hash.size();
  check(gnutls_fingerprint(GNUTLS_DIG_SHA256, &certificate, hash.data(), &size));
  return hash;
}

// A self-signed P-256 certificate, made once, with its key and its fingerprint.
struct GnutlsIdentity {
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_x509_privkey_t key = nullptr;
  Hash fingerprint{};

  GnutlsIdentity() {
    check(gnutls_x509_privkey_init(&key));
    check(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    check(gnutls_x509_crt_init(&certificate));
    check(gnutls_x509_crt_set_version(certificate, 3));
    static constexpr unsigned char kSerial = 7;
    check(gnutls_x509_crt_set_serial(certificate, &kSerial, 1));
    check(gnutls_x509_crt_set_activation_time(certificate, std::time(nullptr)));
    check(gnutls_x509_crt_set_expiration_time(certificate, std::time(nullptr) + 3600));
    check(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, "test", 4));
    check(gnutls_x509_crt_set_key(certificate, key));
    check(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
    gnutls_datum_t der{};
    check(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der));
    fingerprint = fingerprint_of(der);
    gnutls_free(der.data);
  }
};

const GnutlsIdentity& gnutls_identity() {
  static const GnutlsIdentity kIdentity;
  return kIdentity;
}

// 0 accepts: by the fingerprint alone.
int verify_fingerprint(gnutls_session_t session) {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  return count == 0 || fingerprint_of(chain[0]) != gnutls_identity().fingerprint ? 1 : 0;
}

int give_server_psk(gnutls_session_t session, const char* identity, gnutls_datum_t* key) {
  const auto& options = *static_cast<const GnutlsOptions*>(gnutls_session_get_ptr(session));
  if (options.psk_identity != identity) return -1;
  key->size = static_cast<unsigned>(options.psk.size());
  key->data = static_cast<unsigned char*>(gnutls_malloc(key->size));
  std::memcpy(key->data, options.psk.data(), key->size);
  return 0;
}

std::string priority_of(const GnutlsOptions& options) {
  const std::string exchange = options.psk_identity.empty() ? "+ECDHE-ECDSA" : "+PSK";
  return "NONE:+VERS-DTLS1.2:+CTYPE-X509:+COMP-NULL:+AEAD:+SIGN-ECDSA-SHA256:" + exchange + ":+" +
         options.cipher + ":" + options.groups;
}

}  // namespace

GnutlsContext::GnutlsContext(GnutlsOptions options) : options_(std::move(options)) {
  check(gnutls_priority_init(&priority_, priority_of(options_).c_str(), nullptr));
  if (options_.psk_identity.empty()) {
    check(gnutls_certificate_allocate_credentials(&certificate_));
    gnutls_x509_crt_t chain[] = {gnutls_identity().certificate};
    check(gnutls_certificate_set_x509_key(certificate_, chain, 1, gnutls_identity().key));
    gnutls_certificate_set_verify_function(certificate_, verify_fingerprint);
  } else if (options_.is_server) {
    check(gnutls_psk_allocate_server_credentials(&psk_server_));
    gnutls_psk_set_server_credentials_function(psk_server_, give_server_psk);
  } else {
    check(gnutls_psk_allocate_client_credentials(&psk_client_));
    const gnutls_datum_t key{reinterpret_cast<unsigned char*>(options_.psk.data()),
                             static_cast<unsigned>(options_.psk.size())};
    check(gnutls_psk_set_client_credentials(psk_client_, options_.psk_identity.c_str(), &key,
                                            GNUTLS_PSK_KEY_RAW));
  }
  if (options_.tickets && options_.is_server) {
    check(gnutls_session_ticket_key_generate(&ticket_key_));
  }
}

GnutlsContext::~GnutlsContext() {
  gnutls_priority_deinit(priority_);
  if (certificate_ != nullptr) gnutls_certificate_free_credentials(certificate_);
  if (psk_client_ != nullptr) gnutls_psk_free_client_credentials(psk_client_);
  if (psk_server_ != nullptr) gnutls_psk_free_server_credentials(psk_server_);
  gnutls_free(ticket_key_.data);
}

void GnutlsContext::apply_to(gnutls_session_t session) const {
  // GnuTLS hands it back as it got it, and give_server_psk() only reads.
  gnutls_session_set_ptr(session, const_cast<GnutlsOptions*>(&options_));
  check(gnutls_priority_set(session, priority_));
  if (certificate_ != nullptr) {
    check(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate_));
    if (options_.is_server) gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  } else if (options_.is_server) {
    check(gnutls_credentials_set(session, GNUTLS_CRD_PSK, psk_server_));
  } else {
    check(gnutls_credentials_set(session, GNUTLS_CRD_PSK, psk_client_));
  }
  if (options_.srtp) check(gnutls_srtp_set_profile(session, GNUTLS_SRTP_AES128_CM_HMAC_SHA1_80));
  if (options_.tickets && options_.is_server) {
    check(gnutls_session_ticket_enable_server(session, &ticket_key_));
  }
}

ssize_t GnutlsPeer::push(gnutls_transport_ptr_t self, const void* bytes, std::size_t size) {
  auto& peer = *static_cast<GnutlsPeer*>(self);
  const auto* begin = static_cast<const std::byte*>(bytes);
  if (peer.record_out_.empty()) {
    peer.outgoing_.emplace_back(begin, begin + size);
  } else {
    std::memcpy(peer.record_out_.data(), bytes, size);
    peer.record_size_ = size;
  }
  return static_cast<ssize_t>(size);
}

ssize_t GnutlsPeer::pull(gnutls_transport_ptr_t self, void* out, std::size_t size) {
  auto& peer = *static_cast<GnutlsPeer*>(self);
  if (!peer.record_in_.empty()) {
    const auto record = std::exchange(peer.record_in_, {});
    std::memcpy(out, record.data(), std::min(size, record.size()));
    return static_cast<ssize_t>(record.size());
  }
  if (peer.incoming_.empty()) {
    gnutls_transport_set_errno(peer.session(), EAGAIN);
    return -1;
  }
  const dtls::Buffer datagram = std::move(peer.incoming_.front());
  peer.incoming_.pop_front();
  std::memcpy(out, datagram.data(), std::min(size, datagram.size()));
  return static_cast<ssize_t>(datagram.size());
}

int GnutlsPeer::pull_timeout(gnutls_transport_ptr_t self, unsigned /*milliseconds*/) {
  const auto& peer = *static_cast<GnutlsPeer*>(self);
  return peer.record_in_.empty() && peer.incoming_.empty() ? 0 : 1;
}

GnutlsPeer::GnutlsPeer(const GnutlsContext& context)
    : session_(
          [&] {
            gnutls_session_t session = nullptr;
            check(gnutls_init(&session,
                              (context.options().is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
                                  GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
                                  (context.options().tickets ? 0U : GNUTLS_NO_TICKETS)));
            return session;
          }(),
          gnutls_deinit) {
  context.apply_to(session());
  gnutls_transport_set_ptr(session(), this);
  gnutls_transport_set_push_function(session(), push);
  gnutls_transport_set_pull_function(session(), pull);
  gnutls_transport_set_pull_timeout_function(session(), pull_timeout);
  // With room for a record of 1200 bytes; no flight here is longer than it.
  gnutls_dtls_set_mtu(session(), 1400);
}

void GnutlsPeer::advance() {
  if (connected_) return;
  const int result = gnutls_handshake(session());
  if (result == GNUTLS_E_SUCCESS) {
    connected_ = true;
  } else if (gnutls_error_is_fatal(result) != 0) {
    check(result);
  }
}

void GnutlsPeer::receive(dtls::Buffer datagram) {
  incoming_.push_back(std::move(datagram));
  advance();
}

std::size_t GnutlsPeer::seal(dtls::Bytes data, dtls::MutableBytes out) {
  record_out_ = out;
  check(static_cast<int>(gnutls_record_send(session(), data.data(), data.size())));
  record_out_ = {};
  return record_size_;
}

std::size_t GnutlsPeer::open(dtls::Bytes record, dtls::MutableBytes out) {
  record_in_ = record;
  const auto size = gnutls_record_recv(session(), out.data(), out.size());
  check(static_cast<int>(size));
  return static_cast<std::size_t>(size);
}

void connect(GnutlsPeer& client, GnutlsPeer& server) {
  client.advance();
  while (!client.connected() || !server.connected()) {
    auto to_server = client.take_datagrams();
    for (auto& datagram : to_server) server.receive(std::move(datagram));
    auto to_client = server.take_datagrams();
    for (auto& datagram : to_client) client.receive(std::move(datagram));
    if (to_server.empty() && to_client.empty() && !(client.connected() && server.connected())) {
      throw std::runtime_error("GnuTLS's handshake stalled");
    }
  }
}

}  // namespace sluice::bench
