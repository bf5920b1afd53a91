#include "schedule/keys13.h"

#include <utility>

#include "schedule/exporter.h"

namespace sluice::dtls::schedule {
namespace {

Result<DirectionSecrets> derive_both(crypto::Library& library, HashAlgorithm hash,
                                     const HashSecret& secret, std::string_view client_label,
                                     std::string_view server_label, Bytes transcript_hash) {
  auto client = derive_secret(library, hash, secret.bytes(), client_label, transcript_hash);
  if (!client) return tl::unexpected(client.error());
  auto server = derive_secret(library, hash, secret.bytes(), server_label, transcript_hash);
  if (!server) return tl::unexpected(server.error());
  return DirectionSecrets{std::move(*client), std::move(*server)};
}

// From one stage of the schedule to the next: Derive-Secret(., "derived", ""), then HKDF-Extract.
Result<HashSecret> next_stage(crypto::Library& library, HashAlgorithm hash,
                              const HashSecret& secret, Bytes input) {
  const auto empty_hash = crypto::digest(library, hash, {});
  if (!empty_hash) return tl::unexpected(empty_hash.error());
  const auto salt = derive_secret(library, hash, secret.bytes(), "derived", empty_hash->bytes());
  if (!salt) return tl::unexpected(salt.error());
  return hkdf_extract(library, hash, salt->bytes(), input);
}

}  // namespace

Result<TrafficKeys13> traffic_keys13(crypto::Library& library, crypto::AeadAlgorithm aead,
                                     HashAlgorithm hash, const HashSecret& traffic_secret) {
  using Key = Secret<crypto::kMaxAeadKeySize>;
  TrafficKeys13 keys{Key(key_size(aead)), Secret<crypto::kAeadNonceSize>(crypto::kAeadNonceSize),
                     Key(key_size(aead))};
  const Bytes secret = traffic_secret.bytes();
  auto done = hkdf_expand_label(library, hash, secret, "key", {}, keys.key.bytes());
  if (done) done = hkdf_expand_label(library, hash, secret, "iv", {}, keys.iv.bytes());
  if (done) done = hkdf_expand_label(library, hash, secret, "sn", {}, keys.sn_key.bytes());
  if (!done) return tl::unexpected(done.error());
  return keys;
}

Result<HashSecret> next_traffic_secret(crypto::Library& library, HashAlgorithm hash,
                                       const HashSecret& traffic_secret) {
  return derive_secret(library, hash, traffic_secret.bytes(), "traffic upd", {});
}

Result<HashSecret> verify_data13(crypto::Library& library, HashAlgorithm hash,
                                 const HashSecret& traffic_secret, Bytes transcript_hash) {
  const auto key = derive_secret(library, hash, traffic_secret.bytes(), "finished", {});
  if (!key) return tl::unexpected(key.error());
  const auto hmac = crypto::Hmac::with_key(library, hash, key->bytes());
  if (!hmac) return tl::unexpected(hmac.error());
  return hmac->compute({transcript_hash}).map([](const crypto::Digest& value) {
    return HashSecret(value.bytes());
  });
}

Result<HandshakeSecrets> HandshakeSecrets::derive(crypto::Library& library, HashAlgorithm hash,
                                                  Bytes psk, Bytes shared_secret,
                                                  Bytes hello_hash) {
  const auto early = hkdf_extract(library, hash, {}, psk);
  if (!early) return tl::unexpected(early.error());
  const auto handshake = next_stage(library, hash, *early, shared_secret);
  if (!handshake) return tl::unexpected(handshake.error());
  auto traffic = derive_both(library, hash, *handshake, "c hs traffic", "s hs traffic", hello_hash);
  if (!traffic) return tl::unexpected(traffic.error());
  auto master = next_stage(library, hash, *handshake, {});
  if (!master) return tl::unexpected(master.error());
  return HandshakeSecrets(std::move(*master), std::move(*traffic));
}

Result<HashSecret> HandshakeSecrets::resumption_secret(crypto::Library& library, HashAlgorithm hash,
                                                       Bytes client_finished_hash) const {
  return derive_secret(library, hash, master_.bytes(), "res master", client_finished_hash);
}

Result<HashSecret> ticket_psk(crypto::Library& library, HashAlgorithm hash,
                              const HashSecret& resumption_secret, Bytes ticket_nonce) {
  return derive_secret(library, hash, resumption_secret.bytes(), "resumption", ticket_nonce);
}

Result<HashSecret> psk_binder(crypto::Library& library, HashAlgorithm hash, PskKind kind, Bytes psk,
                              Bytes hello_hash) {
  const auto early = hkdf_extract(library, hash, {}, psk);
  if (!early) return tl::unexpected(early.error());
  const auto empty_hash = crypto::digest(library, hash, {});
  if (!empty_hash) return tl::unexpected(empty_hash.error());
  const std::string_view label = kind == PskKind::external ? "ext binder" : "res binder";
  const auto key = derive_secret(library, hash, early->bytes(), label, empty_hash->bytes());
  if (!key) return tl::unexpected(key.error());
  return verify_data13(library, hash, *key, hello_hash);
}

Result<ApplicationSecrets> ApplicationSecrets::derive(crypto::Library& library, HashAlgorithm hash,
                                                      const HandshakeSecrets& handshake,
                                                      Bytes server_finished_hash) {
  const HashSecret& master = handshake.master_;
  auto traffic =
      derive_both(library, hash, master, "c ap traffic", "s ap traffic", server_finished_hash);
  if (!traffic) return tl::unexpected(traffic.error());
  auto exporter = derive_secret(library, hash, master.bytes(), "exp master", server_finished_hash);
  if (!exporter) return tl::unexpected(exporter.error());
  return ApplicationSecrets(std::move(*traffic), std::move(*exporter));
}

Result<void> export13(crypto::Library& library, HashAlgorithm hash, const HashSecret& exporter,
                      std::string_view label, std::optional<Bytes> context, MutableBytes out) {
  if (auto checked = check_export(label, context); !checked) return checked;
  if (label.size() > kMaxLabel) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "label"});
  }
  if (out.size() > max_expansion(hash)) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "out"});
  }
  const auto empty_hash = crypto::digest(library, hash, {});
  if (!empty_hash) return tl::unexpected(empty_hash.error());
  const auto secret = derive_secret(library, hash, exporter.bytes(), label, empty_hash->bytes());
  if (!secret) return tl::unexpected(secret.error());
  const auto context_hash = crypto::digest(library, hash, context.value_or(Bytes{}));
  if (!context_hash) return tl::unexpected(context_hash.error());
  return hkdf_expand_label(library, hash, secret->bytes(), "exporter", context_hash->bytes(), out);
}

}  // namespace sluice::dtls::schedule
