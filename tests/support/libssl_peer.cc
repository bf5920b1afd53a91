#include "support/libssl_peer.h"

#include <openssl/err.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sluice::test {
namespace {

void require_libssl(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

// Made once each: an RSA key takes longer than a handshake.
EVP_PKEY* key_of(LibsslKey kind) {
  static EVP_PKEY* const kEcdsa = EVP_EC_gen("P-256");
  static EVP_PKEY* const kRsa = EVP_RSA_gen(2048);
  return kind == LibsslKey::rsa_2048 ? kRsa : kEcdsa;
}

std::unique_ptr<X509, decltype(&X509_free)> make_certificate(EVP_PKEY* key) {
  std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  require_libssl(X509_sign(certificate.get(), key, EVP_sha256()) != 0, "X509_sign");
  return certificate;
}

const LibsslOptions& options_of(SSL* ssl) {
  return *static_cast<const LibsslOptions*>(SSL_get_app_data(ssl));
}

unsigned give_psk(const LibsslOptions& options, unsigned char* out) {
  std::memcpy(out, options.psk.data(), options.psk.size());
  return static_cast<unsigned>(options.psk.size());
}

unsigned client_psk(SSL* ssl, const char* hint, char* identity, unsigned identity_size,
                    unsigned char* psk, unsigned /*psk_size*/) {
  const LibsslOptions& options = options_of(ssl);
  if (options.psk_hint != (hint != nullptr ? hint : "")) return 0;
  std::strncpy(identity, options.psk_identity.c_str(), identity_size);
  return give_psk(options, psk);
}

unsigned server_psk(SSL* ssl, const char* identity, unsigned char* psk, unsigned /*psk_size*/) {
  const LibsslOptions& options = options_of(ssl);
  return options.psk_identity == identity ? give_psk(options, psk) : 0;
}

void use_psk(SSL_CTX* context, const LibsslOptions& options) {
  SSL_CTX_set_psk_client_callback(context, client_psk);
  SSL_CTX_set_psk_server_callback(context, server_psk);
  if (!options.psk_hint.empty()) SSL_CTX_use_psk_identity_hint(context, options.psk_hint.c_str());
}

}  // namespace

// A BIO of which each write is one datagram and each read takes one.
struct DatagramBio {
  static LibsslPeer* peer(BIO* bio) { return static_cast<LibsslPeer*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* bytes, int size) {
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    peer(bio)->outgoing_.emplace_back(begin, begin + size);
    return size;
  }
  static int read(BIO* bio, char* out, int size) {
    auto& queue = peer(bio)->incoming_;
    BIO_clear_retry_flags(bio);
    if (queue.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const dtls::Buffer datagram = std::move(queue.front());
    queue.pop_front();
    const std::size_t count = std::min(datagram.size(), static_cast<std::size_t>(size));
    std::memcpy(out, datagram.data(), count);
    return static_cast<int>(count);
  }
  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static BIO* make(LibsslPeer* peer) {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
      BIO_meth_set_write(made, write);
      BIO_meth_set_read(made, read);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    BIO* bio = BIO_new(kMethod);
    BIO_set_data(bio, peer);
    BIO_set_init(bio, 1);
    return bio;
  }
};

LibsslContext::LibsslContext(LibsslOptions options)
    : options_(std::move(options)), context_(SSL_CTX_new(DTLS_method()), SSL_CTX_free) {
  SSL_CTX* context = context_.get();
  EVP_PKEY* key = key_of(options_.key);
  const auto certificate = make_certificate(key);
  require_libssl(SSL_CTX_use_certificate(context, certificate.get()) == 1, "certificate");
  require_libssl(SSL_CTX_use_PrivateKey(context, key) == 1, "private key");
  // libssl takes a tag of 8 bytes (CCM_8) for too little security, unless told otherwise.
  SSL_CTX_set_security_level(context, 0);
  require_libssl(SSL_CTX_set_cipher_list(context, options_.cipher.c_str()) == 1, "cipher list");
  require_libssl(SSL_CTX_set1_groups_list(context, options_.groups.c_str()) == 1, "groups");
  if (!options_.srtp_profiles.empty()) {
    require_libssl(SSL_CTX_set_tlsext_use_srtp(context, options_.srtp_profiles.c_str()) == 0,
                   "use_srtp");
  }
  if (options_.asks_for_certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
  }
  if (!options_.psk_identity.empty()) use_psk(context, options_);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
  if (!options_.tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  // A server that asks for certificates resumes none without.
  static constexpr unsigned char kName[] = "test";
  require_libssl(SSL_CTX_set_session_id_context(context, kName, sizeof kName) == 1,
                 "session ID context");
}

LibsslPeer::LibsslPeer(const LibsslContext& context)
    : options_(context.options()), ssl_(SSL_new(context.get()), SSL_free) {
  SSL_set_app_data(ssl_.get(), &options_);
  BIO* bio = DatagramBio::make(this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), context.options().mtu);
  if (context.options().is_server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

void LibsslPeer::advance() {
  ERR_clear_error();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, 16384> buffer;
  int result = 0;
  if (!connected()) {
    result = SSL_do_handshake(ssl_.get());
    if (result == 1) return advance();
  } else {
    while ((result = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
      data.emplace_back(buffer.begin(), buffer.begin() + result);
    }
    if ((SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0) closed = true;
  }
  const int reason = SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_SSL && error_.empty()) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    error_ = text.data();
  }
  ERR_clear_error();
}

void LibsslPeer::receive(dtls::Buffer datagram) {
  incoming_.push_back(std::move(datagram));
  advance();
}

std::vector<dtls::Buffer> LibsslPeer::take_datagrams() { return std::exchange(outgoing_, {}); }

bool LibsslPeer::connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }

dtls::Buffer LibsslPeer::certificate() const {
  X509* certificate = SSL_get_certificate(ssl_.get());
  dtls::Buffer der(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &at);
  return der;
}

void LibsslPeer::send(dtls::Bytes bytes) {
  require_libssl(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0,
                 "SSL_write");
}

void LibsslPeer::shut_down() { SSL_shutdown(ssl_.get()); }

void LibsslPeer::renegotiate() {
  require_libssl(SSL_renegotiate(ssl_.get()) == 1, "SSL_renegotiate");
  SSL_do_handshake(ssl_.get());
  ERR_clear_error();
}

dtls::Buffer LibsslPeer::export_keying_material(std::size_t size, const std::string& label,
                                                const dtls::Buffer* context) const {
  dtls::Buffer out(size);
  require_libssl(
      SSL_export_keying_material(
          ssl_.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(), label.c_str(),
          label.size(),
          context != nullptr ? reinterpret_cast<const unsigned char*>(context->data()) : nullptr,
          context != nullptr ? context->size() : 0, context != nullptr ? 1 : 0) == 1,
      "SSL_export_keying_material");
  return out;
}

}  // namespace sluice::test
