#include "handshake/session12.h"

#include <algorithm>

#include "crypto/constant_time.h"
#include "message/finished.h"

namespace sluice::dtls::handshake {
namespace {

Result<schedule::VerifyData> verify_data(Context& context, const Session12& session, Role sender) {
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return tl::unexpected(hash.error());
  return schedule::verify_data12(context.library, session.negotiated.suite->hash, session.master,
                                 sender, hash->bytes());
}

record::ProtectionKey12 protection(const schedule::CipherSuite12Parameters& suite,
                                   const schedule::TrafficKey12& key) {
  return {suite.aead, key.key.bytes(), key.iv.bytes()};
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
  const HashAlgorithm hash = negotiated.suite->hash;
  if (!negotiated.extended_master_secret) {
    return schedule::master_secret(context.library, hash, premaster, negotiated.randoms);
  }
  const auto session_hash = context.transcript.hash(context.library);
  if (!session_hash) return tl::unexpected(session_hash.error());
  return schedule::extended_master_secret(context.library, hash, premaster, session_hash->bytes());
}

Result<void> install_keys(Context& context, const Negotiated12& negotiated,
                          const schedule::MasterSecret& master, Role role) {
  context.secret_log.add_master(master);
  const auto keys =
      schedule::traffic_keys12(context.library, *negotiated.suite, master, negotiated.randoms);
  if (!keys) return tl::unexpected(keys.error());
  const auto client = protection(*negotiated.suite, keys->client);
  const auto server = protection(*negotiated.suite, keys->server);
  const bool is_client = role == Role::client;
  auto installed = context.records.install_read(context.library, is_client ? server : client);
  if (!installed) return installed;
  return context.records.install_write(context.library, is_client ? client : server);
}

Result<void> send_finished(Context& context, const Session12& session, Role sender) {
  const auto data = verify_data(context, session, sender);
  if (!data) return tl::unexpected(data.error());
  context.flight.add_change_cipher_spec();
  context.records.start_encrypting();
  return context.send(wire::HandshakeType::finished, wire::kFirstEncryptedEpoch12,
                      [&](wire::Writer& out) { out.bytes(*data); });
}

Result<void> check_finished(Context& context, const Session12& session, Role sender,
                            const flight::IncomingMessage& incoming) {
  const auto finished = expect<message::Finished>(incoming);
  if (!finished) return tl::unexpected(finished.error());
  const auto expected = verify_data(context, session, sender);
  if (!expected) return tl::unexpected(expected.error());
  if (!crypto::equal(*expected, finished->verify_data)) {
    return fatal(Errc::bad_finished, Alert::decrypt_error);
  }
  return context.transcript.add(incoming.encoding);
}

}  // namespace sluice::dtls::handshake
