// Every decoder of a handshake message or extension. The first byte chooses one, the rest is its
// input; what has an encoder must come back as it was.
#include <sluice/dtls/resumption.h>

#include <array>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "message/alert.h"
#include "message/application_protocols.h"
#include "message/certificate12.h"
#include "message/certificate_criteria.h"
#include "message/certificate_request12.h"
#include "message/certificate_request13.h"
#include "message/certificate_types.h"
#include "message/client_key_exchange.h"
#include "message/code_list_extension.h"
#include "message/connection_id.h"
#include "message/digital_signature.h"
#include "message/ec_point_formats.h"
#include "message/extension_block.h"
#include "message/finished.h"
#include "message/handshake_fragment.h"
#include "message/hello_verify_request.h"
#include "message/max_fragment_length.h"
#include "message/new_connection_id.h"
#include "message/new_session_ticket12.h"
#include "message/new_session_ticket13.h"
#include "message/path_message.h"
#include "message/pre_shared_key.h"
#include "message/record_size_limit.h"
#include "message/renegotiation_info.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/stored_session.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using namespace dtls::message;

// Whether `put` writes `body` again.
template <class Put>
bool comes_back(const Buffer& body, Put put) {
  Buffer again;
  wire::Writer writer(again);
  put(writer);
  return again == body;
}

void certificate(const Buffer& body) {
  const auto decoded = Certificate12::decode(body);
  if (!decoded) return;
  std::vector<Buffer> chain;
  for (const Bytes entry : decoded->chain) chain.push_back(test::copy_of(entry));
  SLUICE_CHECK(comes_back(body, [&](wire::Writer& out) { put_certificate12(out, chain); }));
}

void certificate_request(const Buffer& body) {
  const auto decoded = CertificateRequest12::decode(body);
  if (!decoded) return;
  SLUICE_CHECK(!decoded->types.empty() && !decoded->schemes.empty());
  for (const SignatureScheme scheme : decoded->schemes)
    SLUICE_CHECK(decoded->schemes.contains(scheme));
}

void certificate_verify(const Buffer& body) {
  const auto decoded = CertificateVerify::decode(body);
  if (!decoded) return;
  SLUICE_CHECK(comes_back(body, [&](wire::Writer& out) {
    put_digital_signature(out, decoded->scheme, decoded->signature);
  }));
}

void client_key_exchange(const Buffer& body) {
  const auto decoded = ClientKeyExchange::decode(body);
  if (!decoded) return;
  SLUICE_CHECK(
      comes_back(body, [&](wire::Writer& out) { put_client_key_exchange(out, decoded->point); }));
}

void server_key_exchange(const Buffer& body) {
  const auto decoded = ServerKeyExchange::decode(body);
  if (!decoded) return;
  SLUICE_CHECK(comes_back(body, [&](wire::Writer& out) {
    put_ecdh_params(out, decoded->group, decoded->point);
    put_digital_signature(out, decoded->scheme, decoded->signature);
  }));
  SLUICE_CHECK(std::ranges::equal(decoded->params, Bytes(body).first(decoded->params.size())));
}

void server_hello(const Buffer& body) {
  const auto decoded = ServerHello::decode(body);
  if (!decoded) return;
  std::size_t count = 0;
  decoded->extensions.all_of([&](const ExtensionBlock::Extension& extension) {
    SLUICE_CHECK(decoded->extensions.has(extension.type));
    ++count;
    return true;
  });
  SLUICE_CHECK(count <= body.size() / 4);
}

void hello_verify_request(const Buffer& body) {
  const auto decoded = HelloVerifyRequest::decode(body);
  if (decoded) SLUICE_CHECK(decoded->cookie.size() + 3 == body.size());
}

void alert(const Buffer& body) {
  const auto decoded = AlertMessage::decode(body);
  if (decoded) SLUICE_CHECK(std::ranges::equal(decoded->encode(), body));
}

void fragments(const Buffer& body) {
  wire::Reader record(body);
  while (record.more()) {
    const std::size_t before = record.rest().size();
    const auto fragment = HandshakeFragment::take(record);
    if (!fragment) return;
    SLUICE_CHECK(fragment->body.size() == fragment->header.fragment_length);
    SLUICE_CHECK(fragment->header.fragment_offset + fragment->body.size() <=
                 fragment->header.length);
    SLUICE_CHECK(record.rest().size() + kHandshakeHeaderSize + fragment->body.size() == before);
  }
}

void use_srtp(const Buffer& body) {
  const auto decoded = UseSrtp::decode(body);
  if (!decoded) return;
  Buffer extension = test::from_hex("000e");
  wire::Writer writer(extension);
  {
    const auto data = writer.vector16();
    writer.bytes(body);
  }
  SLUICE_CHECK(comes_back(
      extension, [&](wire::Writer& out) { put_use_srtp(out, decoded->profiles, decoded->mki); }));
}

void code_lists(const Buffer& body) {
  for (const ListWidth width : {ListWidth::one, ListWidth::two}) {
    const auto list = decode_code_list<NamedGroup>(body, width);
    if (!list) continue;
    SLUICE_CHECK(!list->empty());
    SLUICE_CHECK(2 * static_cast<std::size_t>(std::ranges::distance(*list)) +
                     static_cast<std::size_t>(width) ==
                 body.size());
  }
}

void small_extensions(const Buffer& body) {
  if (is_point_format_list(body)) SLUICE_CHECK(body.size() >= 2);
  has_uncompressed_format(body);
  if (is_initial_renegotiation_info(body)) SLUICE_CHECK(body.size() == 1);
  if (ServerHelloDone::decode(body)) SLUICE_CHECK(body.empty());
  if (decode_record_size_limit(body)) SLUICE_CHECK(body.size() == 2);
  if (decode_certificate_type(body)) SLUICE_CHECK(body.size() == 1);
  if (decode_max_fragment_length(body)) SLUICE_CHECK(body.size() == 1);
  if (const auto types = decode_certificate_types(body)) {
    SLUICE_CHECK(!types->empty() && types->size() + 1 == body.size());
  }
  if (const auto key = RawPublicKey12::decode(body)) {
    SLUICE_CHECK(key->info.size() + 3 == body.size());
  }
  if (const auto id = decode_connection_id(body)) SLUICE_CHECK(body.size() == 1 + id->size());
  SLUICE_CHECK(Finished::decode(body)->verify_data.size() == body.size());
}

void certificate_criteria(const Buffer& body) {
  const auto block = ExtensionBlock::parse(body);
  if (!block) return;
  const auto criteria = criteria_of(*block);
  if (!criteria) return;
  SLUICE_CHECK(criteria->schemes.empty() != block->has(wire::ExtensionType::signature_algorithms));
  SLUICE_CHECK(criteria->authorities.empty() !=
               block->has(wire::ExtensionType::certificate_authorities));
}

void authorities(const Buffer& body) {
  if (body.size() > UINT16_MAX) return;
  const auto decoded = decode_authorities(body);
  if (!decoded) return;
  std::vector<Buffer> names;
  for (const Bytes name : *decoded) names.push_back(test::copy_of(name));
  Buffer list;
  wire::Writer writer(list);
  {
    const auto length = writer.vector16();
    writer.bytes(body);
  }
  SLUICE_CHECK(comes_back(list, [&](wire::Writer& out) { put_authorities(out, names); }));
}

void certificate_request13(const Buffer& body) {
  const auto decoded = CertificateRequest13::decode(body);
  if (decoded) criteria_of(decoded->extensions);
}

void connection_ids(const Buffer& body) {
  if (const auto decoded = NewConnectionId::decode(body)) {
    SLUICE_CHECK(decoded->ids.size() <= NewConnectionId::kMaxIds);
  }
  if (RequestConnectionId::decode(body)) SLUICE_CHECK(body.size() == 1);
}

void new_session_ticket13(const Buffer& body) {
  const auto decoded = NewSessionTicket13::decode(body);
  if (decoded) SLUICE_CHECK(!decoded->ticket.empty());
}

void pre_shared_keys(const Buffer& body) {
  if (const auto offered = OfferedPsks::decode(body)) {
    SLUICE_CHECK(!offered->identities.empty());
    SLUICE_CHECK(offered->identities.size() <= OfferedPsks::kMaxIdentities);
    SLUICE_CHECK(offered->binders_size <= body.size());
  }
  for (const bool with_point : {false, true}) {
    if (const auto exchange = PskClientKeyExchange::decode(body, with_point)) {
      SLUICE_CHECK(comes_back(body, [&](wire::Writer& out) {
        put_psk_client_key_exchange(out, exchange->identity, exchange->point);
      }));
    }
    if (const auto exchange = PskServerKeyExchange::decode(body, with_point)) {
      SLUICE_CHECK(exchange->point.empty() != with_point);
    }
  }
}

void names(const Buffer& body) {
  if (const auto name = decode_server_name(body)) SLUICE_CHECK(!name->empty());
  if (const auto protocols = decode_application_protocols(body)) {
    for (const auto protocol : *protocols) SLUICE_CHECK(!protocol.empty());
  }
}

void new_session_ticket(const Buffer& body) {
  const auto decoded = NewSessionTicket12::decode(body);
  if (!decoded) return;
  SLUICE_CHECK(
      comes_back(body, [&](wire::Writer& out) { put_new_session_ticket12(out, *decoded); }));
}

void path_message(const Buffer& body) {
  const auto decoded = PathMessage::decode(body);
  if (decoded) SLUICE_CHECK(std::ranges::equal(decoded->encode(), body));
  if (PathMessage::is_malformed(body)) SLUICE_CHECK(body.size() != PathMessage::kSize || decoded);
}

// What a server reads back out of its store, or a client out of a file.
void stored_session(const Buffer& body) {
  const auto session = ResumableSession::parse(body);
  if (!session) return;
  SLUICE_CHECK(session->expires() > session->session().issued);
  const auto again = ResumableSession::parse(session->serialize());
  SLUICE_CHECK(again && again->serialize() == session->serialize());
}

constexpr std::array kDecoders{certificate,
                               certificate_request,
                               certificate_verify,
                               client_key_exchange,
                               server_key_exchange,
                               server_hello,
                               hello_verify_request,
                               alert,
                               fragments,
                               use_srtp,
                               code_lists,
                               small_extensions,
                               new_session_ticket,
                               certificate_criteria,
                               authorities,
                               certificate_request13,
                               new_session_ticket13,
                               pre_shared_keys,
                               names,
                               stored_session,
                               connection_ids,
                               path_message};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  if (size == 0) return 0;
  kDecoders[data[0] % kDecoders.size()](sluice::test::copy_of(bytes_of(data + 1, size - 1)));
  return 0;
}
