#include "handshake12/session12.h"

#include <algorithm>
#include <tuple>

#include "crypto/constant_time.h"
#include "message/certificate12.h"
#include "message/finished.h"
#include "negotiation/peer_chain.h"
#include "record/cbc_protection12.h"

namespace sluice::dtls::handshake {
namespace {

Result<schedule::VerifyData> verify_data(Context& context, const Session12& session, Role sender) {
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  return schedule::verify_data12(context.library, session.negotiated.suite.hash, session.master,
                                 sender, hash->bytes());
}

RecordKeys12 view(const schedule::TrafficKey12& key) {
  return {key.mac_key.bytes(), key.key.bytes(), key.iv.bytes()};
}

// The protection of a suite without AEAD: of CipherSuite12, or CBC with encrypt-then-MAC.
Result<record::OwnProtection12> own_protection(crypto::Library& library,
                                               const schedule::CipherSuite12Parameters& suite,
                                               const RecordKeys12& keys,
                                               crypto::AesCbc::Direction direction) {
  if (const auto* own = std::get_if<const CipherSuite12*>(&suite.protection)) {
    auto protection = (*own)->protect(keys);
    if (protection == nullptr) {
      return fatal(Errc::invalid_config, Alert::internal_error, "custom cipher suite");
    }
    return record::OwnProtection12{std::move(protection), (*own)->room()};
  }
  auto cbc = record::CbcProtection12::make(library, direction, keys);
  if (!cbc) return forward_error(cbc);
  return record::OwnProtection12{std::move(*cbc), record::CbcProtection12::kRoom, true};
}

// The contents of a Certificate message.
Result<std::vector<Bytes>> chain_in(const flight::IncomingMessage& incoming, CertificateType type) {
  if (type == CertificateType::x509) {
    return expect<message::Certificate12>(incoming).map(
        [](message::Certificate12 certificate) { return std::move(certificate.chain); });
  }
  return expect<message::RawPublicKey12>(incoming).map([](const message::RawPublicKey12& key) {
    return key.info.empty() ? std::vector<Bytes>() : std::vector{key.info};
  });
}

// `Protection` is Opener12 or Sealer12.
template <class Protection>
Result<Protection> make_protection(crypto::Library& library,
                                   const schedule::CipherSuite12Parameters& suite,
                                   const RecordKeys12& keys, crypto::AesCbc::Direction direction) {
  if (const auto* aead = std::get_if<schedule::AeadSuite12>(&suite.protection)) {
    return Protection::make(library, {aead->aead, keys.key, keys.iv});
  }
  return own_protection(library, suite, keys, direction).map([](record::OwnProtection12 own) {
    return Protection(std::move(own));
  });
}

}  // namespace

Buffer signed_params(const schedule::HelloRandoms& randoms, Bytes params) {
  Buffer data(randoms.client.size() + randoms.server.size() + params.size());
  auto at = std::ranges::copy(randoms.client, data.begin()).out;
  at = std::ranges::copy(randoms.server, at).out;
  std::ranges::copy(params, at);
  return data;
}

Result<schedule::MasterSecret> derive_master(Context& context, const Negotiated12& negotiated,
                                             Bytes premaster) {
  const HashAlgorithm hash = negotiated.suite.hash;
  if (!negotiated.extended_master_secret) {
    return schedule::master_secret(context.library, hash, premaster, negotiated.randoms);
  }
  const auto session_hash = context.transcript.hash(context.library);
  if (!session_hash) return forward_error(session_hash);
  return schedule::extended_master_secret(context.library, hash, premaster, session_hash->bytes());
}

Result<Protection12> make_protection12(crypto::Library& library, const Negotiated12& negotiated,
                                       const schedule::MasterSecret& master, Role role) {
  const auto& suite = negotiated.suite;
  const auto keys = schedule::traffic_keys12(library, suite, master, negotiated.randoms);
  if (!keys) return forward_error(keys);
  const auto& [own, peers] = role == Role::client ? std::tie(keys->client, keys->server)
                                                  : std::tie(keys->server, keys->client);
  auto opener = make_protection<record::Opener12>(library, suite, view(peers),
                                                  crypto::AesCbc::Direction::decrypt);
  if (!opener) return forward_error(opener);
  auto sealer = make_protection<record::Sealer12>(library, suite, view(own),
                                                  crypto::AesCbc::Direction::encrypt);
  if (!sealer) return forward_error(sealer);
  return Protection12{std::move(*opener), std::move(*sealer)};
}

record::RecordRoom record_room12(const schedule::CipherSuite12Parameters& suite) {
  if (const auto* own = std::get_if<const CipherSuite12*>(&suite.protection)) {
    return record::room12((*own)->room(), false);
  }
  if (const auto* aead = std::get_if<schedule::AeadSuite12>(&suite.protection)) {
    const std::size_t head = crypto::kAeadNonceSize - aead->fixed_iv_size;
    return record::room12({head, crypto::tag_size(aead->aead)}, true);
  }
  return record::room12(record::CbcProtection12::kRoom, true);
}

Result<void> install_keys(Context& context, const Negotiated12& negotiated,
                          const schedule::MasterSecret& master, Role role) {
  context.secret_log.add_master(master);
  auto protection = make_protection12(context.library, negotiated, master, role);
  if (!protection) return forward_error(protection);
  const record::KeyLimits limits = record::key_limits12(context.config);
  context.transport.records.add_reader12(std::move(protection->opener), limits);
  context.transport.records.add_writer12(std::move(protection->sealer), limits);
  return {};
}

Result<void> send_certificate12(Context& context) {
  const auto& own = context.own.chosen;
  return context.send(wire::HandshakeType::certificate, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) {
                        if (own && own->type == CertificateType::raw_public_key) {
                          message::put_raw_public_key12(out, own_chain(context).front());
                        } else {
                          message::put_certificate12(out, own_chain(context));
                        }
                      });
}

Result<std::optional<crypto::PublicKey>> take_certificate12(
    Context& context, const Negotiated12& negotiated, Role sender,
    const flight::IncomingMessage& incoming) {
  const CertificateType type = negotiated.extensions.certificate_type(sender);
  const auto chain = chain_in(incoming, type);
  if (!chain) return forward_error(chain);
  std::optional<crypto::PublicKey> key;
  if (!chain->empty()) {
    auto taken = take_chain(context, *chain, type);
    if (!taken) return forward_error(taken);
    key = std::move(*taken);
  }
  if (auto added = context.transcript.add(incoming.encoding); !added) return forward_error(added);
  return key;
}

Result<void> send_finished(Context& context, const Session12& session, Role sender) {
  const auto data = verify_data(context, session, sender);
  if (!data) return forward_error(data);
  context.transport.flight.add_change_cipher_spec();
  context.transport.records.start_encrypting();
  return context.send(wire::HandshakeType::finished, wire::kFirstEncryptedEpoch12,
                      [&](wire::Writer& out) { out.bytes(*data); });
}

Result<void> check_finished(Context& context, const Session12& session, Role sender,
                            const flight::IncomingMessage& incoming) {
  const auto finished = expect<message::Finished>(incoming);
  if (!finished) return forward_error(finished);
  const auto expected = verify_data(context, session, sender);
  if (!expected) return forward_error(expected);
  if (!crypto::equal(*expected, finished->verify_data)) {
    return fatal(Errc::bad_finished, Alert::decrypt_error);
  }
  return context.transcript.add(incoming.encoding);
}

}  // namespace sluice::dtls::handshake
