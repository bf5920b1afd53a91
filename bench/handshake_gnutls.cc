#include <array>
#include <stdexcept>

#include "gnutls_peer.h"
#include "handshake.h"
#include "handshake_options.h"

namespace sluice::bench {
namespace {

GnutlsOptions options_of_gnutls(const HandshakeKind& kind, bool is_server) {
  // GnuTLS 3.7 writes beyond a block when it unpacks a session that had use_srtp: so none then.
  const bool resumes = kind.resumed != Resumed::no;
  GnutlsOptions options{.is_server = is_server, .srtp = !kind.psk && !resumes, .tickets = resumes};
  if (kind.group == dtls::NamedGroup::secp256r1) options.groups = "+GROUP-SECP256R1";
  if (kind.psk) {
    options.cipher = "AES-128-CCM-8";
    options.psk_identity = kPskIdentity;
    options.psk = handshake_psk();
  }
  return options;
}

class GnutlsHandshake {
 public:
  explicit GnutlsHandshake(const HandshakeKind& kind)
      : kind_(kind),
        server_context_(options_of_gnutls(kind, true)),
        client_context_(options_of_gnutls(kind, false)) {
    if (kind.resumed == Resumed::no) return;
    run();
    if (!run()) throw std::runtime_error("GnuTLS has not resumed");
  }
  GnutlsHandshake(const GnutlsHandshake&) = delete;
  GnutlsHandshake& operator=(const GnutlsHandshake&) = delete;
  ~GnutlsHandshake() { gnutls_free(resumable_.data); }

  // Whether it was a resumed one.
  bool run() {
    GnutlsPeer client(client_context_);
    GnutlsPeer server(server_context_);
    if (resumable_.data != nullptr) {
      gnutls_session_set_data(client.session(), resumable_.data, resumable_.size);
    }
    connect(client, server);
    if (!kind_.psk) {
      std::array<char, kSrtpKeyingMaterial> out{};
      for (const auto* peer : {&client, &server}) {
        gnutls_prf_rfc5705(peer->session(), std::char_traits<char>::length(kSrtpExporter),
                           kSrtpExporter, 0, nullptr, out.size(), out.data());
        benchmark::DoNotOptimize(out);
      }
    }
    if (kind_.resumed == Resumed::no) return false;
    if (resumable_.data == nullptr) gnutls_session_get_data2(client.session(), &resumable_);
    return gnutls_session_is_resumed(client.session()) != 0;
  }

 private:
  HandshakeKind kind_;
  GnutlsContext server_context_;
  GnutlsContext client_context_;
  gnutls_datum_t resumable_{};
};

}  // namespace

void run_gnutls_handshakes(benchmark::State& state, const HandshakeKind& kind) {
  GnutlsHandshake handshake(kind);
  while (state.KeepRunning()) handshake.run();
}

}  // namespace sluice::bench
