#include "handshake13/session13.h"

#include <string_view>

#include "crypto/constant_time.h"
#include "message/certificate13.h"
#include "message/digital_signature.h"
#include "message/finished.h"
#include "negotiation/peer_chain.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake {
namespace {

using wire::HandshakeType;

// Derives the keys of a traffic secret and makes the protection with `make`.
template <class Protection>
Result<Protection> with_keys(crypto::Library& library, const Negotiated13& negotiated,
                             const schedule::HashSecret& secret,
                             Result<Protection> (*make)(crypto::Library&,
                                                        const record::ProtectionKey13&)) {
  const auto& [id, aead, hash] = *negotiated.suite;
  const auto keys = schedule::traffic_keys13(library, aead, hash, secret);
  if (!keys) return forward_error(keys);
  return make(library, {aead, keys->key.bytes(), keys->iv.bytes(), keys->sn_key.bytes()});
}

// What a CertificateVerify signs (RFC 8446 section 4.4.3).
Result<Buffer> signed_content(Context& context, Role signer) {
  static constexpr std::size_t kPadding = 64;
  const std::string_view label = signer == Role::server ? "TLS 1.3, server CertificateVerify"
                                                        : "TLS 1.3, client CertificateVerify";
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  Buffer content(kPadding, std::byte{0x20});
  wire::Writer out(content);
  out.bytes(std::as_bytes(std::span(label)));
  out.u8(0);
  out.bytes(hash->bytes());
  return content;
}

Result<schedule::HashSecret> verify_data(Context& context, const Negotiated13& negotiated,
                                         const schedule::HashSecret& secret) {
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  return schedule::verify_data13(context.library, negotiated.suite->hash, secret, hash->bytes());
}

}  // namespace

Result<std::unique_ptr<Resumption13>> keep_for_resumption(
    Context& context, const Negotiated13& negotiated, const schedule::HandshakeSecrets& secrets) {
  context.peer.conclude(context.now);
  if (context.config.resumption == Resumption::none || !negotiated.takes_tickets) return nullptr;
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  auto secret = secrets.resumption_secret(context.library, negotiated.suite->hash, hash->bytes());
  if (!secret) return forward_error(secret);
  return std::make_unique<Resumption13>(Resumption13{std::move(*secret), context.peer.identity});
}

Result<record::Opener13> make_opener13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret) {
  return with_keys(library, negotiated, traffic_secret, record::Opener13::make);
}

Result<record::Sealer13> make_sealer13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret) {
  return with_keys(library, negotiated, traffic_secret, record::Sealer13::make);
}

Result<Protection13> make_protection13(crypto::Library& library, const Session13& session,
                                       Role role) {
  auto opener = make_opener13(library, session.negotiated, session.secrets.traffic(other(role)));
  if (!opener) return forward_error(opener);
  auto sealer = make_sealer13(library, session.negotiated, session.secrets.traffic(role));
  if (!sealer) return forward_error(sealer);
  return Protection13{std::move(*opener), std::move(*sealer)};
}

Result<void> install_read13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                            const schedule::HashSecret& traffic_secret) {
  return make_opener13(context.library, negotiated, traffic_secret)
      .map([&](record::Opener13 opener) {
        context.transport.records.add_reader(epoch, std::move(opener),
                                             key_limits13(context.config, negotiated));
      });
}

Result<void> install_write13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                             const schedule::HashSecret& traffic_secret) {
  return make_sealer13(context.library, negotiated, traffic_secret)
      .map([&](record::Sealer13 sealer) {
        context.transport.records.add_writer(epoch, std::move(sealer),
                                             key_limits13(context.config, negotiated));
      });
}

Result<void> send_certificate13(Context& context) {
  return context.send(HandshakeType::certificate, wire::kHandshakeEpoch13, [&](wire::Writer& out) {
    message::put_certificate13(out, own_chain(context));
  });
}

Result<std::optional<Buffer>> sign13(Context& context, Role signer) {
  const auto content = signed_content(context, signer);
  if (!content) return forward_error(content);
  return sign(context, *content);
}

Result<void> send_certificate_verify13(Context& context, Bytes signature) {
  return context.send(HandshakeType::certificate_verify, wire::kHandshakeEpoch13,
                      [&](wire::Writer& out) {
                        message::put_digital_signature(out, context.own.chosen->scheme, signature);
                      });
}

Result<void> send_finished13(Context& context, const Negotiated13& negotiated,
                             const schedule::HashSecret& own_traffic_secret) {
  const auto data = verify_data(context, negotiated, own_traffic_secret);
  if (!data) return forward_error(data);
  return context.send(HandshakeType::finished, wire::kHandshakeEpoch13,
                      [&](wire::Writer& out) { out.bytes(data->bytes()); });
}

Result<std::optional<crypto::PublicKey>> take_certificate13(
    Context& context, const Negotiated13& negotiated, Role sender,
    const flight::IncomingMessage& incoming) {
  const auto certificate = expect<message::Certificate13>(incoming);
  if (!certificate) return forward_error(certificate);
  if (!certificate->context.empty()) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "certificate_request_context");
  }
  // An extension of an entry answers one of ours, and we send none (RFC 8446 section 4.4.2).
  if (certificate->has_extensions) {
    return fatal(Errc::unsupported_extension, Alert::unsupported_extension, "certificate entry");
  }
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  if (certificate->chain.empty()) return std::nullopt;
  auto key =
      take_chain(context, certificate->chain, negotiated.extensions.certificate_type(sender));
  if (!key) return forward_error(key);
  return std::optional(std::move(*key));
}

Result<void> check_certificate_verify13(Context& context, const crypto::PublicKey& key, Role signer,
                                        const flight::IncomingMessage& incoming) {
  const auto verify = expect<message::CertificateVerify>(incoming);
  if (!verify) return forward_error(verify);
  if (!contains(context.config.signature_schemes, verify->scheme) ||
      !crypto::can_sign13(verify->scheme, key.type())) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "signature scheme");
  }
  const auto content = signed_content(context, signer);
  if (!content) return forward_error(content);
  auto done = key.verify(context.library, verify->scheme, *content, verify->signature);
  context.peer.identity.signature_scheme = verify->scheme;
  if (done) done = context.transcript.add(incoming.encoding);
  return done;
}

Result<void> check_finished13(Context& context, const Negotiated13& negotiated,
                              const schedule::HashSecret& peer_traffic_secret,
                              const flight::IncomingMessage& incoming) {
  const auto finished = expect<message::Finished>(incoming);
  if (!finished) return forward_error(finished);
  const auto expected = verify_data(context, negotiated, peer_traffic_secret);
  if (!expected) return forward_error(expected);
  if (!crypto::equal(expected->bytes(), finished->verify_data)) {
    return fatal(Errc::bad_finished, Alert::decrypt_error);
  }
  return context.transcript.add(incoming.encoding);
}

}  // namespace sluice::dtls::handshake
