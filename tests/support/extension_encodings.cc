#include "support/extension_encodings.h"

#include "message/application_protocols.h"
#include "message/certificate_authorities.h"
#include "message/certificate_types.h"
#include "message/code_list_extension.h"
#include "message/connection_id.h"
#include "message/encrypted_extensions.h"
#include "message/key_share.h"
#include "message/max_fragment_length.h"
#include "message/pre_shared_key.h"
#include "message/record_size_limit.h"
#include "message/server_hello.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/hello_retry.h"
#include "support/encoding_values.h"

namespace sluice::test {
namespace {

using namespace dtls;
using namespace dtls::message;
using wire::ExtensionType;
using wire::Writer;

constexpr std::uint64_t kMaxByte = 0xff;
constexpr std::uint64_t kMaxVector = 0xffff;

bool is_in(std::uint64_t low, std::uint64_t value, std::uint64_t high) {
  return low <= value && value <= high;
}

// The data of the one extension that `encoding` consists of.
std::optional<Bytes> data_of(const Buffer& encoding, ExtensionType type) {
  const auto block = ExtensionBlock::parse(encoding);
  return block ? block->find(type) : std::nullopt;
}

bool is_text(std::string_view name, std::uint64_t size) { return name == text(size); }

EncodingOutcome server_name(Sizes s) {
  return round_trip([&](Writer& out) { put_server_name(out, text(s[0])); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, ExtensionType::server_name);
                      const auto name = data ? decode_server_name(*data) : std::nullopt;
                      return name && is_text(*name, s[0]);
                    });
}

bool has_protocols(Bytes data, std::uint64_t count, std::uint64_t size) {
  const auto names = decode_application_protocols(data);
  if (!names || names->size() != count) return false;
  return std::ranges::all_of(*names, [&](std::string_view name) { return is_text(name, size); });
}

// number of protocols, size of each
EncodingOutcome application_protocols(Sizes s) {
  constexpr auto kType = ExtensionType::application_layer_protocol_negotiation;
  return round_trip(
      [&](Writer& out) {
        put_application_protocols(out, std::vector<std::string>(s[0], text(s[1])));
      },
      [&](const Buffer& encoding) {
        const auto data = data_of(encoding, kType);
        return data && has_protocols(*data, s[0], s[1]);
      });
}

// profiles, MKI
EncodingOutcome use_srtp(Sizes s) {
  return round_trip([&](Writer& out) { put_use_srtp(out, codes<SrtpProfile>(s[0]), filler(s[1])); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, ExtensionType::use_srtp);
                      const auto decoded = data ? UseSrtp::decode(*data) : std::nullopt;
                      return decoded && counts(decoded->profiles, s[0]) &&
                             are_same(decoded->mki, filler(s[1]));
                    });
}

EncodingOutcome code_list(Sizes s) {
  return round_trip(
      [&](Writer& out) {
        put_code_list_extension(out, ExtensionType::supported_groups, codes<NamedGroup>(s[0]));
      },
      [&](const Buffer& encoding) {
        const auto data = data_of(encoding, ExtensionType::supported_groups);
        const auto list = data ? decode_code_list<NamedGroup>(*data, ListWidth::two) : std::nullopt;
        return list && counts(*list, s[0]);
      });
}

EncodingOutcome record_size_limit(Sizes s) {
  return round_trip(
      [&](Writer& out) { put_record_size_limit(out, static_cast<std::uint16_t>(s[0])); },
      [&](const Buffer& encoding) {
        const auto data = data_of(encoding, ExtensionType::record_size_limit);
        return data && decode_record_size_limit(*data) == static_cast<std::uint16_t>(s[0]);
      });
}

EncodingOutcome max_fragment_length(Sizes s) {
  const auto length = static_cast<MaxFragmentLength>(s[0]);
  return round_trip([&](Writer& out) { put_max_fragment_length(out, length); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, ExtensionType::max_fragment_length);
                      return data && decode_max_fragment_length(*data) == length;
                    });
}

EncodingOutcome certificate_types(Sizes s) {
  constexpr auto kType = ExtensionType::client_certificate_type;
  const std::vector types(s[0], CertificateType::raw_public_key);
  return round_trip([&](Writer& out) { put_certificate_types(out, kType, types); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, kType);
                      const auto list = data ? decode_certificate_types(*data) : std::nullopt;
                      return list && list->size() == s[0] && set_of(*list).raw_public_key &&
                             !set_of(*list).x509;
                    });
}

EncodingOutcome certificate_type(Sizes s) {
  constexpr auto kType = ExtensionType::server_certificate_type;
  const auto type = static_cast<CertificateType>(s[0]);
  return round_trip([&](Writer& out) { put_certificate_type(out, kType, type); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, kType);
                      return data && decode_certificate_type(*data) == type;
                    });
}

// number of PSKs, size of each identity, size of each binder
EncodingOutcome offered_psks(Sizes s) {
  const std::vector<PskIdentity> identities(s[0], {filler(s[1]), 0x12345678});
  const std::vector<std::size_t> binders(s[0], s[2]);
  return round_trip([&](Writer& out) { put_offered_psks(out, identities, binders); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, ExtensionType::pre_shared_key);
                      const auto offered = data ? OfferedPsks::decode(*data) : std::nullopt;
                      return offered && offered->identities.size() == s[0] &&
                             are_all(offered->binders, s[0], Buffer(s[2])) &&
                             offered->binders_size == binders_size(binders) &&
                             std::ranges::all_of(offered->identities, [&](const PskIdentity& psk) {
                               return are_same(psk.identity, filler(s[1])) &&
                                      psk.obfuscated_ticket_age == 0x12345678;
                             });
                    });
}
bool offered_psks_fit(Sizes s) {
  constexpr std::uint64_t kMinBinder = 32;  // RFC 8446 section 4.2.11
  return is_in(1, s[0], OfferedPsks::kMaxIdentities) && s[1] > 0 &&
         is_in(kMinBinder, s[2], kMaxByte) && 4 + s[0] * (2 + s[1] + 4 + 1 + s[2]) <= kMaxVector;
}

EncodingOutcome share(Sizes s) {
  return round_trip([&](Writer& out) { put_share(out, {NamedGroup::x25519, filler(s[0])}); },
                    [&](const Buffer& encoding) {
                      const auto entry = decode_server_share(encoding);
                      return entry && are_same(entry->key_exchange, filler(s[0]));
                    });
}

// number of names, size of each
EncodingOutcome authorities(Sizes s) {
  return round_trip([&](Writer& out) { put_authorities(out, buffers(s[0], s[1])); },
                    [&](const Buffer& encoding) {
                      wire::Reader reader(encoding);
                      const auto names = decode_authorities(reader.vector16());
                      return reader.complete() && names && are_all(*names, s[0], filler(s[1]));
                    });
}

EncodingOutcome connection_id(Sizes s) {
  return round_trip([&](Writer& out) { put_connection_id(out, filler(s[0])); },
                    [&](const Buffer& encoding) {
                      const auto data = data_of(encoding, ExtensionType::connection_id);
                      const auto id = data ? decode_connection_id(*data) : std::nullopt;
                      return id && are_same(*id, filler(s[0]));
                    });
}

// cookie, which is absent if it is empty
EncodingOutcome retry_request(Sizes s) {
  const auto* suite = schedule::find13(CipherSuite::aes_128_gcm_sha256);
  return round_trip(
      [&](Writer& out) {
        handshake::put_retry_request(out, {suite, NamedGroup::x25519, filler(s[0])});
      },
      [&](const Buffer& body) {
        const auto hello = ServerHello::decode(body);
        const auto data = hello ? hello->extensions.find(ExtensionType::cookie) : std::nullopt;
        if (s[0] == 0) return hello && !data;
        wire::Reader reader(data.value_or(Bytes{}));
        return are_same(reader.vector16(), filler(s[0])) && reader.complete();
      });
}

// protocol, MKI: what a server answers
EncodingOutcome encrypted_extensions(Sizes s) {
  handshake::AgreedExtensions agreed;
  agreed.srtp_profile = SrtpProfile::aead_aes_128_gcm;
  agreed.names.edit().application_protocol = text(s[0]);
  agreed.names.edit().srtp_mki = copy_of(filler(s[1]));
  return round_trip(
      [&](Writer& out) {
        const auto extensions = out.vector16();
        handshake::put_agreed_extensions(out, handshake::ExtensionPlaces::encrypted_extensions,
                                         {agreed, {}, false});
      },
      [&](const Buffer& body) {
        const auto message = EncryptedExtensions::decode(body);
        if (!message) return false;
        const auto names =
            message->extensions.find(ExtensionType::application_layer_protocol_negotiation);
        const auto srtp = message->extensions.find(ExtensionType::use_srtp);
        const auto decoded = srtp ? UseSrtp::decode(*srtp) : std::nullopt;
        const bool has_name = s[0] == 0 ? !names : names && has_protocols(*names, 1, s[0]);
        return has_name && decoded && are_same(decoded->mki, filler(s[1]));
      });
}

}  // namespace

std::vector<Encoding> extension_encodings() {
  return {{"server_name", {255}, [](Sizes s) { return is_in(1, s[0], 255); }, server_name},
          {"application_layer_protocol_negotiation",
           {(kMaxVector - 2) / 256, 255},
           [](Sizes s) {
             return s[0] > 0 && is_in(1, s[1], kMaxByte) && 2 + s[0] * (1 + s[1]) <= kMaxVector;
           },
           application_protocols},
          {"use_srtp",
           {(kMaxVector - 3) / 2, kMaxByte},
           [](Sizes s) {
             return s[0] > 0 && s[1] <= kMaxByte && 2 + 2 * s[0] + 1 + s[1] <= kMaxVector;
           },
           use_srtp},
          {"supported_groups",
           {(kMaxVector - 2) / 2},
           [](Sizes s) { return is_in(1, s[0], (kMaxVector - 2) / 2); },
           code_list},
          {"connection_id", {kMaxByte}, [](Sizes s) { return s[0] <= kMaxByte; }, connection_id},
          {"record_size_limit", {kMaxVector - 1}, [](Sizes) { return true; }, record_size_limit},
          {"max_fragment_length", {kMaxByte - 1}, [](Sizes) { return true; }, max_fragment_length},
          {"certificate types of a client",
           {kMaxByte},
           [](Sizes s) { return is_in(1, s[0], kMaxByte); },
           certificate_types},
          {"certificate type of a server",
           {kMaxByte - 1},
           [](Sizes) { return true; },
           certificate_type},
          {"pre_shared_key", {1, kMaxVector - 4 - 6 - 33, 255}, offered_psks_fit, offered_psks},
          {"pre_shared_key, many",
           {OfferedPsks::kMaxIdentities, 100, 31},
           offered_psks_fit,
           offered_psks},
          {"key_share", {kMaxVector}, [](Sizes s) { return is_in(1, s[0], kMaxVector); }, share},
          {"certificate_authorities",
           {1, kMaxVector - 2},
           [](Sizes s) { return (s[0] == 0 || s[1] > 0) && s[0] * (2 + s[1]) <= kMaxVector; },
           authorities},
          {"HelloRetryRequest",
           {kMaxVector - 6 - 6 - 6},
           [](Sizes s) { return s[0] <= kMaxVector - 6 - 6 - 6; },
           retry_request},
          {"EncryptedExtensions",
           {kMaxByte, kMaxByte},
           [](Sizes s) { return s[0] <= kMaxByte && s[1] <= kMaxByte; },
           encrypted_extensions}};
}

}  // namespace sluice::test
