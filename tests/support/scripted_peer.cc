#include "support/scripted_peer.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/certificate_key.h"
#include "crypto/credentials.h"
#include "crypto/hash.h"
#include "crypto/library.h"
#include "handshake12/session12.h"
#include "message/certificate12.h"
#include "message/certificate_request12.h"
#include "message/client_hello.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/hello_verify_request.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

using dtls::Buffer;
using dtls::Bytes;
using dtls::Role;
using dtls::message::HandshakeHeader;
using dtls::message::kHandshakeHeaderSize;
using dtls::wire::ContentType;
using dtls::wire::Epoch;
using dtls::wire::HandshakeType;
using dtls::wire::kFirstEncryptedEpoch12;
using dtls::wire::kPlaintextEpoch;
using dtls::wire::MessageSeq;
using dtls::wire::Writer;

namespace {

dtls::crypto::Library& library() { return environment().library(); }

template <class T>
T present(std::optional<T> value, const char* what) {
  if (!value) throw std::runtime_error(std::string("the engine sent no valid ") + what);
  return *std::move(value);
}

Buffer encode_message(HandshakeType type, MessageSeq seq, Bytes body) {
  Buffer encoding(kHandshakeHeaderSize);
  const auto length = static_cast<std::uint32_t>(body.size());
  HandshakeHeader{type, length, seq, 0, length}.encode(encoding);
  encoding.insert(encoding.end(), body.begin(), body.end());
  return encoding;
}

}  // namespace

Script::Script() : identity(ecdsa_identity()) {}

Flight::iterator find(Flight& flight, HandshakeType type) {
  const auto found = std::ranges::find_if(flight, [&](const OutgoingRecord& record) {
    return record.type == ContentType::handshake &&
           record.contents.front() == static_cast<std::byte>(type);
  });
  if (found == flight.end()) throw std::logic_error("no such message in the flight");
  return found;
}

Flight::iterator find(Flight& flight, ContentType type) {
  const auto found = std::ranges::find(flight, type, &OutgoingRecord::type);
  if (found == flight.end()) throw std::logic_error("no such record in the flight");
  return found;
}

OutgoingRecord change_cipher_spec(Buffer contents) {
  return {ContentType::change_cipher_spec, kPlaintextEpoch, std::move(contents)};
}

Buffer fragment_of(Bytes message, std::size_t offset, std::size_t length) {
  Buffer fragment(message.begin(), message.begin() + kHandshakeHeaderSize);
  dtls::wire::store(dtls::MutableBytes(fragment).subspan(6, 3), offset);
  dtls::wire::store(dtls::MutableBytes(fragment).subspan(9, 3), length);
  const Bytes piece = message.subspan(kHandshakeHeaderSize + offset, length);
  fragment.insert(fragment.end(), piece.begin(), piece.end());
  return fragment;
}

std::function<void(HandshakeType, Buffer&)> altering(HandshakeType wanted,
                                                     std::function<void(Buffer&)> change) {
  return [wanted, change = std::move(change)](HandshakeType type, Buffer& body) {
    if (type == wanted) change(body);
  };
}

ScriptedPeer::ScriptedPeer(Role role, Script its_script)
    : script(std::move(its_script)),
      role_(role),
      suite_(dtls::schedule::find12(dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256)) {}

void ScriptedPeer::start() { send_messages({HandshakeType::client_hello}); }

std::vector<Buffer> ScriptedPeer::take_datagrams() { return std::exchange(outbox_, {}); }

void ScriptedPeer::repeat_flight() {
  for (const OutgoingRecord& record : last_flight_) outbox_.push_back(seal(record));
}

// ---- writing

OutgoingRecord ScriptedPeer::message(HandshakeType type) {
  Buffer body = body_of(type);
  if (script.alter) script.alter(type, body);
  return message(type, std::move(body));
}

OutgoingRecord ScriptedPeer::message(HandshakeType type, Buffer body) {
  OutgoingRecord record{ContentType::handshake, write_epoch_,
                        encode_message(type, next_seq_, body)};
  // First flights say 1.0 in their records (RFC 6347 section 4.2.1).
  if (type == HandshakeType::client_hello || type == HandshakeType::hello_verify_request) {
    record.version = dtls::ProtocolVersion::dtls10;
  }
  next_seq_ = dtls::wire::next(next_seq_);
  transcript_.insert(transcript_.end(), record.contents.begin(), record.contents.end());
  if (type == HandshakeType::client_key_exchange) derive_keys();
  return record;
}

OutgoingRecord ScriptedPeer::loose_message(HandshakeType type, Bytes body,
                                           std::uint16_t message_seq, Epoch epoch) {
  return {ContentType::handshake, epoch, encode_message(type, MessageSeq{message_seq}, body)};
}

Buffer ScriptedPeer::alert(dtls::message::AlertLevel level, dtls::Alert description) {
  const auto encoding = dtls::message::AlertMessage{level, description}.encode();
  return seal({ContentType::alert, write_epoch_, copy_of(encoding)});
}

Buffer ScriptedPeer::data(Bytes bytes) {
  return seal({ContentType::application_data, write_epoch_, copy_of(bytes)});
}

Buffer ScriptedPeer::body_of(HandshakeType type) {
  Buffer body;
  Writer out(body);
  switch (type) {
    case HandshakeType::client_hello:
      randoms_.client = script.client_hello.random;
      return script.client_hello.encode();
    case HandshakeType::server_hello:
      randoms_.server = script.server_hello.random;
      extended_master_secret_ =
          script.server_hello.extensions.has(dtls::wire::ExtensionType::extended_master_secret);
      if (const auto* suite = dtls::schedule::find12(script.server_hello.suite)) suite_ = suite;
      return script.server_hello.encode();
    case HandshakeType::hello_verify_request:
      // RFC 6347 section 4.2.1: says 1.0; each cookie is another.
      out.code(dtls::ProtocolVersion::dtls10);
      out.u8(1);
      out.u8(static_cast<std::uint8_t>(script.verify_requests));
      return body;
    case HandshakeType::certificate:
      dtls::message::put_certificate12(
          out, script.chain ? *script.chain : script.identity.credentials().chain());
      return body;
    case HandshakeType::server_key_exchange:
      return server_key_exchange_body();
    case HandshakeType::certificate_request:
      dtls::message::put_certificate_request12(out,
                                               dtls::ConfigOptions::default_signature_schemes());
      return body;
    case HandshakeType::client_key_exchange:
      return client_key_exchange_body();
    case HandshakeType::certificate_verify:
      return certificate_verify_body();
    case HandshakeType::new_session_ticket:
      return script.new_session_ticket.value();
    case HandshakeType::finished:
      out.bytes(verify_data(role_));
      return body;
    default:  // hello_request and server_hello_done have none
      return body;
  }
}

Buffer ScriptedPeer::server_key_exchange_body() {
  own_share_.emplace(must(dtls::crypto::EphemeralKey::generate(library(), script.group)));
  Buffer params;
  Writer writer(params);
  dtls::message::put_ecdh_params(writer, script.group, must(own_share_->share()).bytes());
  if (script.alter_params) script.alter_params(params);
  const Buffer covered = dtls::handshake::signed_params(randoms_, params);
  const Buffer signature =
      must(script.identity.credentials().sign(library(), script.scheme, covered));
  writer.code(script.scheme);
  const auto vector = writer.vector16();
  writer.bytes(signature);
  return params;
}

Buffer ScriptedPeer::client_key_exchange_body() {
  own_share_.emplace(must(dtls::crypto::EphemeralKey::generate(library(), peer_group_)));
  if (!peer_share_.empty()) premaster_ = must(own_share_->derive(library(), peer_share_));
  Buffer body;
  Writer out(body);
  dtls::message::put_client_key_exchange(out, must(own_share_->share()).bytes());
  return body;
}

Buffer ScriptedPeer::certificate_verify_body() {
  Buffer body;
  Writer out(body);
  dtls::message::put_digital_signature(
      out, script.scheme,
      must(script.identity.credentials().sign(library(), script.scheme, transcript_)));
  return body;
}

dtls::schedule::VerifyData ScriptedPeer::verify_data(Role sender) const {
  if (!master_) return {};
  const auto hash = must(dtls::crypto::digest(library(), suite_->hash, transcript_));
  return must(
      dtls::schedule::verify_data12(library(), suite_->hash, *master_, sender, hash.bytes()));
}

// The transcript ends with ClientKeyExchange now: its hash is the session hash of RFC 7627.
void ScriptedPeer::derive_keys() {
  if (!premaster_) return;
  const auto hash = must(dtls::crypto::digest(library(), suite_->hash, transcript_));
  master_ = extended_master_secret_
                ? must(dtls::schedule::extended_master_secret(library(), suite_->hash,
                                                              premaster_->bytes(), hash.bytes()))
                : must(dtls::schedule::master_secret(library(), suite_->hash, premaster_->bytes(),
                                                     randoms_));
  const auto keys = must(dtls::schedule::traffic_keys12(library(), *suite_, *master_, randoms_));
  const auto protection = [&](const dtls::schedule::TrafficKey12& key) {
    const auto aead = std::get<dtls::schedule::AeadSuite12>(suite_->protection).aead;
    return dtls::record::ProtectionKey12{aead, key.key.bytes(), key.iv.bytes()};
  };
  const auto& own = role_ == Role::client ? keys.client : keys.server;
  const auto& other = role_ == Role::client ? keys.server : keys.client;
  records_.install(must(dtls::record::Sealer12::make(library(), protection(own))),
                   must(dtls::record::Opener12::make(library(), protection(other))));
}

void ScriptedPeer::add(Flight& flight, HandshakeType type) {
  if (script.omitted.contains(type)) return;
  if (type == HandshakeType::finished) {
    flight.push_back(change_cipher_spec());
    if (has_keys()) write_epoch_ = kFirstEncryptedEpoch12;
  }
  flight.push_back(message(type));
}

void ScriptedPeer::send_messages(std::initializer_list<HandshakeType> types) {
  Flight flight;
  for (const HandshakeType type : types) add(flight, type);
  send(std::move(flight));
}

void ScriptedPeer::send(Flight flight) {
  if (script.edit) script.edit(flight);
  last_flight_ = std::move(flight);
  repeat_flight();
}

// ---- reading

void ScriptedPeer::receive(Bytes datagram) {
  while (!datagram.empty()) {
    auto taken = records_.take(datagram);
    if (!taken) continue;
    IncomingRecord& record = *taken;
    switch (record.type) {
      case ContentType::handshake:
        on_handshake(record);
        break;
      case ContentType::alert:
        alerts.push_back(present(dtls::message::AlertMessage::decode(record.contents), "alert"));
        break;
      case ContentType::application_data:
        received_data.push_back(record.contents);
        break;
      case ContentType::change_cipher_spec:
      case ContentType::ack:
      case ContentType::return_routability_check:
        break;
    }
    records.push_back(std::move(record));
  }
}

void ScriptedPeer::on_handshake(const IncomingRecord& record) {
  dtls::wire::Reader reader(record.contents);
  while (reader.more()) {
    const auto fragment =
        present(dtls::message::HandshakeFragment::take(reader), "handshake fragment");
    must(reassembler_.add(fragment, record.epoch));
    while (const auto message = reassembler_.front()) {
      on_message(*message);
      reassembler_.pop();
    }
  }
}

void ScriptedPeer::on_message(const dtls::flight::IncomingMessage& message) {
  messages.push_back(copy_of(message.encoding));
  if (message.type == HandshakeType::finished) {
    const Role sender = role_ == Role::client ? Role::server : Role::client;
    complete = std::ranges::equal(message.body(), verify_data(sender));
    if (!complete) throw std::runtime_error("the engine's Finished is wrong");
  }
  if (message.type == HandshakeType::certificate_verify) {
    const auto verify =
        present(dtls::message::CertificateVerify::decode(message.body()), "CertificateVerify");
    must(peer_key_.value().verify(library(), verify.scheme, transcript_, verify.signature));
  }
  transcript_.insert(transcript_.end(), message.encoding.begin(), message.encoding.end());
  take_facts(message.type, message.body());
  if (script.replies) reply_to(message.type);
}

void ScriptedPeer::take_facts(HandshakeType type, Bytes body) {
  switch (type) {
    case HandshakeType::client_hello:
      randoms_.client = present(dtls::message::ClientHello::decode(body), "ClientHello").random;
      break;
    case HandshakeType::hello_verify_request:
      script.client_hello.cookie =
          copy_of(present(dtls::message::HelloVerifyRequest::decode(body), "cookie").cookie);
      break;
    case HandshakeType::server_hello:
      take_server_hello(body);
      break;
    case HandshakeType::certificate: {
      if (script.takes_raw_public_key) {
        const auto key = present(dtls::message::RawPublicKey12::decode(body), "Certificate");
        peer_key_ = must(dtls::crypto::raw_public_key(library(), key.info));
        break;
      }
      const auto chain = present(dtls::message::Certificate12::decode(body), "Certificate").chain;
      if (!chain.empty()) {
        peer_key_ = must(dtls::crypto::certificate_key(library(), chain.front()));
      }
      break;
    }
    case HandshakeType::server_key_exchange:
      take_server_key_exchange(body);
      break;
    case HandshakeType::certificate_request:
      certificate_requested_ = true;
      break;
    case HandshakeType::client_key_exchange:
      premaster_ = must(own_share_.value().derive(
          library(),
          present(dtls::message::ClientKeyExchange::decode(body), "ClientKeyExchange").point));
      derive_keys();
      break;
    default:
      break;
  }
}

void ScriptedPeer::take_server_hello(Bytes body) {
  const auto hello = present(dtls::message::ServerHello::decode(body), "ServerHello");
  randoms_.server = hello.random;
  suite_ = dtls::schedule::find12(hello.cipher_suite);
  extended_master_secret_ = hello.extensions.has(dtls::wire::ExtensionType::extended_master_secret);
}

void ScriptedPeer::take_server_key_exchange(Bytes body) {
  const auto exchange =
      present(dtls::message::ServerKeyExchange::decode(body), "ServerKeyExchange");
  const Buffer covered = dtls::handshake::signed_params(randoms_, exchange.params);
  must(peer_key_.value().verify(library(), exchange.scheme, covered, exchange.signature));
  peer_group_ = exchange.group;
  peer_share_ = copy_of(exchange.point);
}

void ScriptedPeer::reply_to(HandshakeType type) {
  using enum HandshakeType;
  if (role_ == Role::client) {
    if (type == hello_verify_request) {
      transcript_.clear();  // RFC 6347 section 4.2.1
      send_messages({client_hello});
    } else if (type == server_hello_done && certificate_requested_) {
      send_messages({certificate, client_key_exchange, certificate_verify, finished});
    } else if (type == server_hello_done) {
      send_messages({client_key_exchange, finished});
    }
    return;
  }
  if (type == client_hello && script.verify_requests > 0) {
    send_messages({hello_verify_request});
    --script.verify_requests;
    transcript_.clear();
  } else if (type == client_hello && script.requests_certificate) {
    send_messages(
        {server_hello, certificate, server_key_exchange, certificate_request, server_hello_done});
  } else if (type == client_hello) {
    send_messages({server_hello, certificate, server_key_exchange, server_hello_done});
  } else if (type == finished && script.new_session_ticket) {
    send_messages({new_session_ticket, finished});
  } else if (type == finished) {
    send_messages({finished});
  }
}

Buffer ScriptedPeer::exported(std::string_view label, std::size_t size) const {
  Buffer out(size);
  must(dtls::schedule::export12(library(), suite_->hash, master_.value(), randoms_, label,
                                std::nullopt, out));
  return out;
}

}  // namespace sluice::test
