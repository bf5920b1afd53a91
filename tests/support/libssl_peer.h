// OpenSSL's libssl as the other end of a DTLS association, in memory: the peer to compare with.
#pragma once

#include <openssl/ssl.h>
#include <sluice/dtls/bytes.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

enum class LibsslKey { ecdsa_p256, rsa_2048 };

struct LibsslOptions {
  bool is_server = true;
  LibsslKey key = LibsslKey::ecdsa_p256;
  std::string cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";  // OpenSSL's names
  std::string groups = "X25519:P-256:P-384";
  std::string srtp_profiles = "SRTP_AEAD_AES_256_GCM";  // empty: no use_srtp
  bool asks_for_certificate = true;
  // Of a PSK; empty: none. A server knows this identity alone and says the hint.
  std::string psk_identity = {};
  dtls::Buffer psk = {};
  std::string psk_hint = {};
  // Sessions are resumed by tickets; else by session IDs in the context's cache.
  bool tickets = false;
  long mtu = 1200;
};

// What several associations share.
class LibsslContext {
 public:
  explicit LibsslContext(LibsslOptions options);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
  [[nodiscard]] const LibsslOptions& options() const { return options_; }

 private:
  LibsslOptions options_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

class LibsslPeer {
 public:
  explicit LibsslPeer(const LibsslOptions& options) : LibsslPeer(LibsslContext(options)) {}
  explicit LibsslPeer(const LibsslContext& context);
  LibsslPeer(const LibsslPeer&) = delete;  // libssl points to it
  LibsslPeer& operator=(const LibsslPeer&) = delete;

  // Goes on with the handshake, or reads application data once it is done.
  void advance();
  void receive(dtls::Buffer datagram);
  std::vector<dtls::Buffer> take_datagrams();

  [[nodiscard]] bool connected() const;
  // The first error, if one has ended the handshake.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] dtls::Buffer certificate() const;

  void send(dtls::Bytes data);
  void shut_down();
  // Asks for a renegotiation; what that leads to shows in the datagrams.
  void renegotiate();
  std::vector<dtls::Buffer> data;
  bool closed = false;

  [[nodiscard]] dtls::Buffer export_keying_material(std::size_t size, const std::string& label,
                                                    const dtls::Buffer* context) const;

 private:
  friend struct DatagramBio;

  LibsslOptions options_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::deque<dtls::Buffer> incoming_;
  std::vector<dtls::Buffer> outgoing_;
  std::string error_;
};

}  // namespace sluice::test
