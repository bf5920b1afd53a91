// GnuTLS as one end of a DTLS 1.2 association, in memory: a peer to compare with.
#pragma once

#include <gnutls/gnutls.h>
#include <sluice/dtls/bytes.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::bench {

struct GnutlsOptions {
  bool is_server = true;
  std::string cipher = "AES-128-GCM";  // GnuTLS's names
  std::string groups = "+GROUP-X25519:+GROUP-SECP256R1";
  std::string psk_identity = {};  // empty: certificates
  dtls::Buffer psk = {};
  bool srtp = true;
  bool tickets = false;
};

// What several associations share. Both sides show the same certificate.
class GnutlsContext {
 public:
  explicit GnutlsContext(GnutlsOptions options);
  GnutlsContext(const GnutlsContext&) = delete;
  GnutlsContext& operator=(const GnutlsContext&) = delete;
  ~GnutlsContext();

  [[nodiscard]] const GnutlsOptions& options() const { return options_; }
  // Sets a new session up.
  void apply_to(gnutls_session_t session) const;

 private:
  GnutlsOptions options_;
  gnutls_priority_t priority_ = nullptr;
  gnutls_certificate_credentials_t certificate_ = nullptr;
  gnutls_psk_client_credentials_t psk_client_ = nullptr;
  gnutls_psk_server_credentials_t psk_server_ = nullptr;
  gnutls_datum_t ticket_key_{};
};

class GnutlsPeer {
 public:
  explicit GnutlsPeer(const GnutlsContext& context);
  GnutlsPeer(const GnutlsPeer&) = delete;  // GnuTLS points to it
  GnutlsPeer& operator=(const GnutlsPeer&) = delete;

  [[nodiscard]] gnutls_session_t session() const { return session_.get(); }
  void advance();
  void receive(dtls::Buffer datagram);
  std::vector<dtls::Buffer> take_datagrams() { return std::exchange(outgoing_, {}); }
  [[nodiscard]] bool connected() const { return connected_; }

  // One record, by the shortest way through GnuTLS's transport functions.
  std::size_t seal(dtls::Bytes data, dtls::MutableBytes out);
  std::size_t open(dtls::Bytes record, dtls::MutableBytes out);

 private:
  using Session =
      std::unique_ptr<std::remove_pointer_t<gnutls_session_t>, decltype(&gnutls_deinit)>;

  static ssize_t push(gnutls_transport_ptr_t self, const void* bytes, std::size_t size);
  static ssize_t pull(gnutls_transport_ptr_t self, void* out, std::size_t size);
  static int pull_timeout(gnutls_transport_ptr_t self, unsigned milliseconds);

  Session session_;
  std::deque<dtls::Buffer> incoming_;
  std::vector<dtls::Buffer> outgoing_;
  dtls::Bytes record_in_;  // before what is in incoming_
  dtls::MutableBytes record_out_;
  std::size_t record_size_ = 0;
  bool connected_ = false;
};

// Carries datagrams until both are connected.
void connect(GnutlsPeer& client, GnutlsPeer& server);

}  // namespace sluice::bench
