#include <array>

#include "message/ack.h"
#include "message/certificate12.h"
#include "message/certificate13.h"
#include "message/certificate_criteria.h"
#include "message/certificate_request12.h"
#include "message/certificate_request13.h"
#include "message/client_hello.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/handshake_fragment.h"
#include "message/hello_verify_request.h"
#include "message/new_connection_id.h"
#include "message/new_session_ticket12.h"
#include "message/new_session_ticket13.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"
#include "support/encoding_values.h"
#include "support/encodings.h"
#include "support/extension_encodings.h"

namespace sluice::test {
namespace {

using namespace dtls;
using namespace dtls::message;
using wire::Writer;

constexpr std::uint64_t k8 = 0xff;
constexpr std::uint64_t k16 = 0xffff;
constexpr std::uint64_t k24 = 0xffffff;
constexpr std::uint64_t k32 = 0xffffffff;
constexpr wire::ExtensionType kExtension{0x1234};

bool is_between(std::uint64_t low, std::uint64_t value, std::uint64_t high) {
  return low <= value && value <= high;
}

void put_one_extension(Writer& out, std::uint64_t size) {
  put_extension(out, kExtension, [&](Writer& data) { data.bytes(filler(size)); });
}
bool has_one_extension(const ExtensionBlock& block, std::uint64_t size) {
  const auto data = block.find(kExtension);
  return data && are_same(*data, filler(size));
}

// session_id, cookie, cipher_suites, data of an extension
EncodingOutcome client_hello(Sizes s) {
  const std::array<std::byte, 32> random{std::byte{7}};
  return round_trip(
      [&](Writer& out) {
        put_client_hello(out, random, filler(s[0]), filler(s[1]), codes<CipherSuite>(s[2]),
                         [&](Writer& inside) { put_one_extension(inside, s[3]); });
      },
      [&](const Buffer& body) {
        const auto hello = ClientHello::decode(body);
        return hello && hello->random == random && are_same(hello->session_id, filler(s[0])) &&
               are_same(hello->cookie, filler(s[1])) && counts(hello->cipher_suites, s[2]) &&
               has_one_extension(hello->extensions, s[3]);
      });
}

// session_id, data of an extension
EncodingOutcome server_hello(Sizes s) {
  return round_trip(
      [&](Writer& out) {
        put_server_hello(out, {}, filler(s[0]), CipherSuite::aes_128_gcm_sha256,
                         [&](Writer& inside) { put_one_extension(inside, s[1]); });
      },
      [&](const Buffer& body) {
        const auto hello = ServerHello::decode(body);
        return hello && are_same(hello->session_id, filler(s[0])) &&
               has_one_extension(hello->extensions, s[1]);
      });
}

EncodingOutcome hello_verify_request(Sizes s) {
  return round_trip([&](Writer& out) { put_hello_verify_request(out, filler(s[0])); },
                    [&](const Buffer& body) {
                      const auto request = HelloVerifyRequest::decode(body);
                      return request && are_same(request->cookie, filler(s[0]));
                    });
}

// number of certificates, size of each
template <class Certificate, auto Put>
EncodingOutcome certificate(Sizes s) {
  const auto chain = buffers(s[0], s[1]);
  return round_trip([&](Writer& out) { Put(out, chain); },
                    [&](const Buffer& body) {
                      const auto decoded = Certificate::decode(body);
                      return decoded && are_all(decoded->chain, s[0], filler(s[1]));
                    });
}
EncodingOutcome raw_public_key12(Sizes s) {
  return round_trip([&](Writer& out) { put_raw_public_key12(out, filler(s[0])); },
                    [&](const Buffer& body) {
                      const auto decoded = RawPublicKey12::decode(body);
                      return decoded && are_same(decoded->info, filler(s[0]));
                    });
}
template <std::uint64_t BesideEach>
bool certificates_fit(Sizes s) {
  return s[0] <= wire::kMaxChain && (s[0] == 0 || s[1] > 0) && s[0] * (BesideEach + s[1]) <= k24;
}

// signature schemes, number of authorities, size of each
EncodingOutcome certificate_request12(Sizes s) {
  return round_trip(
      [&](Writer& out) {
        put_certificate_request12(out, codes<SignatureScheme>(s[0]), buffers(s[1], s[2]));
      },
      [&](const Buffer& body) {
        const auto request = CertificateRequest12::decode(body);
        return request && counts(request->schemes, s[0]) &&
               are_all(request->authorities, s[1], filler(s[2]));
      });
}

// signature schemes, those for chains, number of authorities, size of each
EncodingOutcome certificate_request13(Sizes s) {
  using Schemes = std::vector<SignatureScheme>;
  return round_trip(
      [&](Writer& out) {
        put_certificate_request13<Schemes>(out, codes<SignatureScheme>(s[0]),
                                           codes<SignatureScheme>(s[1]), buffers(s[2], s[3]));
      },
      [&](const Buffer& body) {
        const auto request = CertificateRequest13::decode(body);
        const auto criteria = request ? criteria_of(request->extensions) : std::nullopt;
        return criteria && counts(criteria->schemes, s[0]) &&
               counts(criteria->chain_schemes, s[1]) &&
               are_all(criteria->authorities, s[2], filler(s[3]));
      });
}
bool certificate_request13_fits(Sizes s) {
  const std::uint64_t names = s[2] * (2 + s[3]);
  const std::uint64_t size =
      6 + 2 * s[0] + (s[1] > 0 ? 6 + 2 * s[1] : 0) + (s[2] > 0 ? 6 + names : 0);
  return s[0] > 0 && (s[2] == 0 || s[3] > 0) && size <= k16;
}

EncodingOutcome client_key_exchange(Sizes s) {
  return round_trip([&](Writer& out) { put_client_key_exchange(out, filler(s[0])); },
                    [&](const Buffer& body) {
                      const auto exchange = ClientKeyExchange::decode(body);
                      return exchange && are_same(exchange->point, filler(s[0]));
                    });
}

// identity, point, which is absent if it is empty
EncodingOutcome psk_client_key_exchange(Sizes s) {
  return round_trip(
      [&](Writer& out) { put_psk_client_key_exchange(out, filler(s[0]), filler(s[1])); },
      [&](const Buffer& body) {
        const auto exchange = PskClientKeyExchange::decode(body, s[1] > 0);
        return exchange && are_same(exchange->identity, filler(s[0])) &&
               are_same(exchange->point, filler(s[1]));
      });
}

// point, signature
EncodingOutcome server_key_exchange(Sizes s) {
  return round_trip(
      [&](Writer& out) {
        put_ecdh_params(out, NamedGroup::x25519, filler(s[0]));
        put_digital_signature(out, SignatureScheme::ed25519, filler(s[1]));
      },
      [&](const Buffer& body) {
        const auto exchange = ServerKeyExchange::decode(body);
        return exchange && are_same(exchange->point, filler(s[0])) &&
               are_same(exchange->signature, filler(s[1]));
      });
}

// hint, point, which is absent if it is empty
EncodingOutcome psk_server_key_exchange(Sizes s) {
  return round_trip(
      [&](Writer& out) {
        put_psk_identity_hint(out, filler(s[0]));
        if (s[1] > 0) put_ecdh_params(out, NamedGroup::x25519, filler(s[1]));
      },
      [&](const Buffer& body) {
        const auto exchange = PskServerKeyExchange::decode(body, s[1] > 0);
        return exchange && are_same(exchange->hint, filler(s[0])) &&
               are_same(exchange->point, filler(s[1]));
      });
}

EncodingOutcome certificate_verify(Sizes s) {
  return round_trip(
      [&](Writer& out) { put_digital_signature(out, SignatureScheme::ed25519, filler(s[0])); },
      [&](const Buffer& body) {
        const auto verify = CertificateVerify::decode(body);
        return verify && are_same(verify->signature, filler(s[0]));
      });
}

// lifetime in seconds, ticket
EncodingOutcome new_session_ticket12(Sizes s) {
  const std::chrono::seconds lifetime{s[0]};
  return round_trip([&](Writer& out) { put_new_session_ticket12(out, {lifetime, filler(s[1])}); },
                    [&](const Buffer& body) {
                      const auto message = NewSessionTicket12::decode(body);
                      return message && message->lifetime == lifetime &&
                             are_same(message->ticket, filler(s[1]));
                    });
}

// lifetime in seconds, nonce, ticket
EncodingOutcome new_session_ticket13(Sizes s) {
  const std::chrono::seconds lifetime{s[0]};
  return round_trip(
      [&](Writer& out) {
        put_new_session_ticket13(out, {lifetime, 7, filler(s[1]), filler(s[2])});
      },
      [&](const Buffer& body) {
        const auto message = NewSessionTicket13::decode(body);
        return message && message->lifetime == lifetime && message->age_add == 7 &&
               are_same(message->nonce, filler(s[1])) && are_same(message->ticket, filler(s[2]));
      });
}

// number of IDs, size of each
EncodingOutcome new_connection_id(Sizes s) {
  const std::vector<ConnectionId> ids(s[0], ConnectionId(filler(s[1])));
  return round_trip(
      [&](Writer& out) { put_new_connection_id(out, ids, ConnectionIdUsage::cid_spare); },
      [&](const Buffer& body) {
        const auto message = NewConnectionId::decode(body);
        return message && message->usage == ConnectionIdUsage::cid_spare &&
               are_all(message->ids, std::min<std::uint64_t>(s[0], NewConnectionId::kMaxIds),
                       filler(std::min<std::uint64_t>(s[1], kMaxConnectionId)));
      });
}

EncodingOutcome request_connection_id(Sizes s) {
  return round_trip([&](Writer& out) { put_request_connection_id(out, s[0]); },
                    [&](const Buffer& body) {
                      const auto message = RequestConnectionId::decode(body);
                      return message && message->count == s[0];
                    });
}

EncodingOutcome ack(Sizes s) {
  const RecordNumbers numbers(s[0], {wire::Epoch{3}, wire::SequenceNumber{9}});
  return round_trip([&](Writer& out) { put_ack(out, numbers); },
                    [&](const Buffer& body) { return decode_ack(body) == numbers; });
}

// A whole message, of which `body` has this size.
EncodingOutcome handshake_message(Sizes s) {
  Buffer out = from_hex("abcdef");
  const bool fits = put_message(out, wire::HandshakeType::finished, wire::MessageSeq{5},
                                [&](Writer& body) { body.bytes(filler(s[0])); });
  if (!fits) return out.size() == 3 ? EncodingOutcome::refused : EncodingOutcome::differs;
  wire::Reader reader(Bytes(out).subspan(3));
  const auto fragment = HandshakeFragment::take(reader);
  const bool is_whole = fragment && reader.complete() && fragment->header.length == s[0] &&
                        are_same(fragment->body, filler(s[0]));
  return is_whole ? EncodingOutcome::same : EncodingOutcome::differs;
}

// Integers of fewer bytes than the type that holds them.
template <void (Writer::*Put)(std::uint64_t), auto Read>
EncodingOutcome integer(Sizes s) {
  return round_trip([&](Writer& out) { (out.*Put)(s[0]); },
                    [&](const Buffer& bytes) {
                      wire::Reader reader(bytes);
                      return (reader.*Read)() == s[0] && reader.complete();
                    });
}

std::vector<Encoding> hellos_and_certificates() {
  return {{"ClientHello",
           {32, k8, k16 / 2, k16 - 4},
           [](Sizes s) {
             return s[0] <= 32 && s[1] <= k8 && is_between(1, s[2], k16 / 2) && s[3] <= k16 - 4;
           },
           client_hello},
          {"ServerHello",
           {32, k16 - 4},
           [](Sizes s) { return s[0] <= 32 && s[1] <= k16 - 4; },
           server_hello},
          {"HelloVerifyRequest", {k8}, [](Sizes s) { return s[0] <= k8; }, hello_verify_request},
          {"Certificate of TLS 1.2",
           {1, k24 - 3},
           certificates_fit<3>,
           certificate<Certificate12, put_certificate12>},
          {"Certificates of TLS 1.2",
           {wire::kMaxChain, k24 / wire::kMaxChain - 3},
           certificates_fit<3>,
           certificate<Certificate12, put_certificate12>},
          {"Certificate of TLS 1.3",
           {1, k24 - 5},
           certificates_fit<5>,
           certificate<Certificate13, put_certificate13>},
          {"Certificates of TLS 1.3",
           {wire::kMaxChain, k24 / wire::kMaxChain - 5},
           certificates_fit<5>,
           certificate<Certificate13, put_certificate13>}};
}

std::vector<Encoding> certificate_requests() {
  return {
      {"CertificateRequest of TLS 1.2",
       {k16 / 2, 1, k16 - 2},
       [](Sizes s) {
         return is_between(1, s[0], k16 / 2) && (s[1] == 0 || s[2] > 0) && s[1] * (2 + s[2]) <= k16;
       },
       certificate_request12},
      {"CertificateRequest of TLS 1.2, many authorities",
       {1, k16 / 3, 1},
       [](Sizes s) {
         return is_between(1, s[0], k16 / 2) && (s[1] == 0 || s[2] > 0) && s[1] * (2 + s[2]) <= k16;
       },
       certificate_request12},
      {"CertificateRequest of TLS 1.3, schemes",
       {(k16 - 6) / 2, 1, 1, 1},
       certificate_request13_fits,
       certificate_request13},
      {"CertificateRequest of TLS 1.3, schemes for chains",
       {1, (k16 - 8 - 6) / 2, 1, 1},
       certificate_request13_fits,
       certificate_request13},
      {"CertificateRequest of TLS 1.3, authority",
       {1, 1, 1, k16 - 8 - 8},
       certificate_request13_fits,
       certificate_request13},
      {"CertificateRequest of TLS 1.3, authorities",
       {1, 0, (k16 - 8 - 6) / 3, 1},
       certificate_request13_fits,
       certificate_request13}};
}

std::vector<Encoding> other_messages() {
  return {{"ClientKeyExchange",
           {k8},
           [](Sizes s) { return is_between(1, s[0], k8); },
           client_key_exchange},
          {"ClientKeyExchange with a PSK",
           {k16, k8},
           [](Sizes s) { return s[0] <= k16 && s[1] <= k8; },
           psk_client_key_exchange},
          {"ServerKeyExchange",
           {k8, k16},
           [](Sizes s) { return is_between(1, s[0], k8) && s[1] <= k16; },
           server_key_exchange},
          {"ServerKeyExchange with a PSK",
           {k16, k8},
           [](Sizes s) { return s[0] <= k16 && s[1] <= k8; },
           psk_server_key_exchange},
          {"Certificate with a raw public key",
           {k24},
           [](Sizes s) { return s[0] <= k24; },
           raw_public_key12},
          {"CertificateVerify", {k16}, [](Sizes s) { return s[0] <= k16; }, certificate_verify},
          {"NewSessionTicket of TLS 1.2",
           {k32, k16},
           [](Sizes s) { return s[0] <= k32 && s[1] <= k16; },
           new_session_ticket12},
          {"NewSessionTicket of TLS 1.3",
           {k32, k8, k16},
           [](Sizes s) { return s[0] <= k32 && s[1] <= k8 && is_between(1, s[2], k16); },
           new_session_ticket13},
          {"NewConnectionId",
           {k16 / 2, k8},
           [](Sizes s) { return s[0] * (1 + std::min(s[1], k8)) <= k16; },
           new_connection_id},
          {"RequestConnectionId", {k8}, [](Sizes s) { return s[0] <= k8; }, request_connection_id},
          {"ACK", {k16 / 16}, [](Sizes s) { return s[0] <= k16 / 16; }, ack},
          {"handshake message",
           {kMaxBody},
           [](Sizes s) { return s[0] <= kMaxBody; },
           handshake_message}};
}

std::vector<Encoding> integers() {
  return {
      {"uint8", {k8}, [](Sizes s) { return s[0] <= k8; }, integer<&Writer::u8, &wire::Reader::u8>},
      {"uint16",
       {k16},
       [](Sizes s) { return s[0] <= k16; },
       integer<&Writer::u16, &wire::Reader::u16>},
      {"uint24",
       {k24},
       [](Sizes s) { return s[0] <= k24; },
       integer<&Writer::u24, &wire::Reader::u24>},
      {"uint32",
       {k32},
       [](Sizes s) { return s[0] <= k32; },
       integer<&Writer::u32, &wire::Reader::u32>},
      {"uint48",
       {wire::kMaxSequenceNumber},
       [](Sizes s) { return s[0] <= wire::kMaxSequenceNumber; },
       integer<&Writer::u48, &wire::Reader::u48>}};
}

}  // namespace

std::span<const Encoding> message_encodings() {
  static const std::vector<Encoding> kAll = [] {
    std::vector<Encoding> all;
    for (const auto make : {hellos_and_certificates, certificate_requests, other_messages, integers,
                            extension_encodings}) {
      const std::vector<Encoding> rows = make();
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
  }();
  return kAll;
}

}  // namespace sluice::test
