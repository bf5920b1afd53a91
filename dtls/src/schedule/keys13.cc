#include "schedule/keys13.h"

#include <utility>

#include "schedule/exporter.h"

namespace sluice::dtls::schedule {
namespace {

Result<DirectionSecrets> derive_both(HkdfExpansion& secret, std::string_view client_label,
                                     std::string_view server_label, Bytes transcript_hash) {
  auto client = secret.derive_secret(client_label, transcript_hash);
  if (!client) return forward_error(client);
  auto server = secret.derive_secret(server_label, transcript_hash);
  if (!server) return forward_error(server);
  return DirectionSecrets{std::move(*client), std::move(*server)};
}

// The salt between two stages of the schedule: Derive-Secret(., "derived", "").
Result<HashSecret> next_salt(HkdfExpansion& secret, HashAlgorithm hash) {
  return secret.derive_secret("derived", crypto::digest_of_nothing(hash));
}

// The salts derived from the early secret without a PSK. They are the same in all handshakes.
constexpr std::array<unsigned char, 32> kSha256Salt{
    0xb1, 0x7b, 0xce, 0x94, 0x51, 0xee, 0x8b, 0xc6, 0xe8, 0xae, 0xbc, 0x0a, 0xa9, 0xe9, 0x82, 0x95,
    0x67, 0x7a, 0x4a, 0x6a, 0x91, 0xf7, 0x84, 0x40, 0x83, 0x31, 0x46, 0xe4, 0x65, 0xf2, 0xff, 0x95};
constexpr std::array<unsigned char, 48> kSha384Salt{
    0x27, 0x00, 0x86, 0x05, 0xd3, 0x39, 0x6f, 0x88, 0x44, 0x19, 0x75, 0x65, 0xca, 0xec, 0xc5, 0x92,
    0xb3, 0xe5, 0x8f, 0x2e, 0xae, 0x55, 0xf8, 0x41, 0xb5, 0x77, 0xcf, 0xbc, 0xab, 0xb4, 0x7e, 0x22,
    0x1f, 0x67, 0x4e, 0xd3, 0xa6, 0x8a, 0xa8, 0x93, 0x43, 0x9c, 0xf5, 0x57, 0xf1, 0x11, 0xc0, 0xfc};

// The salt of the handshake secret. An empty `psk` means that there is none.
Result<HashSecret> handshake_salt(crypto::Library& library, HashAlgorithm hash, Bytes psk) {
  if (psk.empty() && hash == HashAlgorithm::sha256) {
    return HashSecret(std::as_bytes(std::span(kSha256Salt)));
  }
  if (psk.empty() && hash == HashAlgorithm::sha384) {
    return HashSecret(std::as_bytes(std::span(kSha384Salt)));
  }
  const auto early = hkdf_extract(library, hash, {}, psk);
  if (!early) return forward_error(early);
  auto expansion = HkdfExpansion::of(library, hash, early->bytes());
  if (!expansion) return forward_error(expansion);
  return next_salt(*expansion, hash);
}

struct FromHandshakeSecret {
  DirectionSecrets traffic;
  HashSecret master_salt;
};
Result<FromHandshakeSecret> derive_from_handshake(crypto::Library& library, HashAlgorithm hash,
                                                  const HashSecret& handshake, Bytes hello_hash) {
  auto secret = HkdfExpansion::of(library, hash, handshake.bytes());
  if (!secret) return forward_error(secret);
  auto traffic = derive_both(*secret, "c hs traffic", "s hs traffic", hello_hash);
  if (!traffic) return forward_error(traffic);
  auto master_salt = next_salt(*secret, hash);
  if (!master_salt) return forward_error(master_salt);
  return FromHandshakeSecret{std::move(*traffic), std::move(*master_salt)};
}

}  // namespace

Result<TrafficKeys13> traffic_keys13(crypto::Library& library, crypto::AeadAlgorithm aead,
                                     HashAlgorithm hash, const HashSecret& traffic_secret) {
  using Key = Secret<crypto::kMaxAeadKeySize>;
  TrafficKeys13 keys{Key(key_size(aead)), Secret<crypto::kAeadNonceSize>(crypto::kAeadNonceSize),
                     Key(key_size(aead))};
  auto secret = HkdfExpansion::of(library, hash, traffic_secret.bytes());
  if (!secret) return forward_error(secret);
  auto done = secret->expand_label("key", {}, keys.key.bytes());
  if (done) done = secret->expand_label("iv", {}, keys.iv.bytes());
  if (done) done = secret->expand_label("sn", {}, keys.sn_key.bytes());
  if (!done) return forward_error(done);
  return keys;
}

Result<HashSecret> next_traffic_secret(crypto::Library& library, HashAlgorithm hash,
                                       const HashSecret& traffic_secret) {
  return derive_secret(library, hash, traffic_secret.bytes(), "traffic upd", {});
}

Result<HashSecret> verify_data13(crypto::Library& library, HashAlgorithm hash,
                                 const HashSecret& traffic_secret, Bytes transcript_hash) {
  const auto key = derive_secret(library, hash, traffic_secret.bytes(), "finished", {});
  if (!key) return forward_error(key);
  auto hmac = crypto::Hmac::with_key(library, hash, key->bytes());
  if (!hmac) return forward_error(hmac);
  return hmac->compute({transcript_hash}).map([](const crypto::Digest& value) {
    return HashSecret(value.bytes());
  });
}

Result<HandshakeSecrets> HandshakeSecrets::derive(crypto::Library& library, HashAlgorithm hash,
                                                  Bytes psk, Bytes shared_secret,
                                                  Bytes hello_hash) {
  const auto salt = handshake_salt(library, hash, psk);
  if (!salt) return forward_error(salt);
  const auto handshake = hkdf_extract(library, hash, salt->bytes(), shared_secret);
  if (!handshake) return forward_error(handshake);
  auto derived = derive_from_handshake(library, hash, *handshake, hello_hash);
  if (!derived) return forward_error(derived);
  const HashSecret& master_salt = derived->master_salt;
  auto master = hkdf_extract(library, hash, master_salt.bytes(), {});
  if (!master) return forward_error(master);
  return HandshakeSecrets(std::move(*master), std::move(derived->traffic));
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
  if (!early) return forward_error(early);
  const std::string_view label = kind == PskKind::external ? "ext binder" : "res binder";
  const auto key =
      derive_secret(library, hash, early->bytes(), label, crypto::digest_of_nothing(hash));
  if (!key) return forward_error(key);
  return verify_data13(library, hash, *key, hello_hash);
}

Result<ApplicationSecrets> ApplicationSecrets::derive(crypto::Library& library, HashAlgorithm hash,
                                                      const HandshakeSecrets& handshake,
                                                      Bytes server_finished_hash) {
  auto master = HkdfExpansion::of(library, hash, handshake.master_.bytes());
  if (!master) return forward_error(master);
  auto traffic = derive_both(*master, "c ap traffic", "s ap traffic", server_finished_hash);
  if (!traffic) return forward_error(traffic);
  auto exporter = master->derive_secret("exp master", server_finished_hash);
  if (!exporter) return forward_error(exporter);
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
  const crypto::DeferredWipe wipe(library);
  const auto secret =
      derive_secret(library, hash, exporter.bytes(), label, crypto::digest_of_nothing(hash));
  if (!secret) return forward_error(secret);
  const auto context_hash = crypto::digest(library, hash, context.value_or(Bytes{}));
  if (!context_hash) return forward_error(context_hash);
  return hkdf_expand_label(library, hash, secret->bytes(), "exporter", context_hash->bytes(), out);
}

}  // namespace sluice::dtls::schedule
