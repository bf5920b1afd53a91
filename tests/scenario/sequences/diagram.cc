#include "scenario/sequences/diagram.h"

#include <sstream>
#include <utility>

#include "message/ack.h"
#include "message/alert.h"
#include "message/handshake_fragment.h"

namespace sluice::sequences {
namespace {

using dtls::wire::HandshakeType;
using dtls::wire::value_of;

std::string_view name_of(HandshakeType type) {
  switch (type) {
    case HandshakeType::hello_request:
      return "HelloRequest";
    case HandshakeType::client_hello:
      return "ClientHello";
    case HandshakeType::server_hello:
      return "ServerHello";
    case HandshakeType::hello_verify_request:
      return "HelloVerifyRequest";
    case HandshakeType::new_session_ticket:
      return "NewSessionTicket";
    case HandshakeType::request_connection_id:
      return "RequestConnectionId";
    case HandshakeType::new_connection_id:
      return "NewConnectionId";
    case HandshakeType::encrypted_extensions:
      return "EncryptedExtensions";
    case HandshakeType::certificate:
      return "Certificate";
    case HandshakeType::server_key_exchange:
      return "ServerKeyExchange";
    case HandshakeType::certificate_request:
      return "CertificateRequest";
    case HandshakeType::server_hello_done:
      return "ServerHelloDone";
    case HandshakeType::certificate_verify:
      return "CertificateVerify";
    case HandshakeType::client_key_exchange:
      return "ClientKeyExchange";
    case HandshakeType::finished:
      return "Finished";
    case HandshakeType::key_update:
      return "KeyUpdate";
    case HandshakeType::message_hash:
      break;
  }
  return "unknown message";
}

std::string number(dtls::Epoch epoch, dtls::SequenceNumber sequence) {
  return std::to_string(value_of(epoch)) + '/' + std::to_string(value_of(sequence));
}

std::string messages_of(dtls::Bytes contents) {
  std::ostringstream text;
  dtls::wire::Reader reader(contents);
  for (const char* separator = ""; reader.more(); separator = ", ") {
    const auto fragment = dtls::message::HandshakeFragment::take(reader);
    if (!fragment) return "malformed";
    const auto& header = fragment->header;
    text << separator << name_of(header.type) << ' ' << value_of(header.message_seq);
    if (header.fragment_length == header.length) continue;
    text << " (bytes " << header.fragment_offset << " to "
         << header.fragment_offset + header.fragment_length << " of " << header.length << ')';
  }
  return std::move(text).str();
}

std::string acknowledged(dtls::Bytes contents) {
  std::string text = "ACK of";
  const auto numbers = dtls::message::decode_ack(contents).value();
  for (const auto& [epoch, sequence] : numbers) text.append(" ").append(number(epoch, sequence));
  return numbers.empty() ? "empty ACK" : text;
}

std::string describe(const dtls::ObservedRecord& record) {
  switch (record.type) {
    case dtls::ContentType::handshake:
      return messages_of(record.contents);
    case dtls::ContentType::ack:
      return acknowledged(record.contents);
    case dtls::ContentType::alert:
      return std::string(
          to_string(dtls::message::AlertMessage::decode(record.contents).value().description));
    case dtls::ContentType::application_data:
      return std::to_string(record.contents.size()) + " bytes of application data";
    case dtls::ContentType::change_cipher_spec:
      return "ChangeCipherSpec";
    case dtls::ContentType::return_routability_check:
      return "return routability check";
  }
  return "unknown record";
}

// Milliseconds, with a fraction where there is one.
std::string to_text(dtls::Duration when) {
  std::ostringstream text;
  text << std::chrono::duration<double, std::milli>(when).count() << " ms";
  return std::move(text).str();
}

const char* letter(dtls::Role role) { return role == dtls::Role::client ? "C" : "S"; }
const char* other(dtls::Role role) { return role == dtls::Role::client ? "S" : "C"; }

}  // namespace

void Diagram::on_record(const dtls::ObservedRecord& record) {
  if (record.direction != dtls::Direction::sent) return;
  records_.push_back(number(record.epoch, record.sequence_number) + ' ' + describe(record));
}

void Diagram::on_datagram(const dtls::ObservedDatagram& datagram) {
  if (datagram.direction != dtls::Direction::sent) return;
  last_ = {datagram.time.time_since_epoch(), datagram.bytes.size(), std::exchange(records_, {})};
}

void Diagram::sent_by(dtls::Role sender, bool is_lost) { add_arrow(sender, last_, is_lost); }

void Diagram::add_packet(dtls::Role sender, dtls::Duration when, std::size_t size,
                         std::string_view what) {
  add_arrow(sender, {when, size, {std::string(what)}}, false);
}

void Diagram::add_arrow(dtls::Role sender, const Arrow& arrow, bool is_lost) {
  std::ostringstream line;
  line << "    " << letter(sender) << (is_lost ? "-x" : "->>") << other(sender) << ": "
       << to_text(arrow.when) << ", " << arrow.size << " bytes" << (is_lost ? ", lost" : "");
  for (const std::string& record : arrow.records) line << "<br/>" << record;
  lines_.append(std::move(line).str()).append("\n");
}

void Diagram::add_note(dtls::Role whose, dtls::Duration when, std::string_view text) {
  lines_.append("    Note over ").append(letter(whose)).append(": ").append(to_text(when));
  lines_.append("<br/>").append(text).append("\n");
}

}  // namespace sluice::sequences
