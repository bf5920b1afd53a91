// The extensions that the engine implements. A new extension is a row here, a codec in message/
// and, if both sides agree on a value, an ExtensionAgreement.
#pragma once

#include <cstdint>
#include <span>

#include <sluice/dtls/config.h>

#include "message/extension_block.h"
#include "negotiation/extension_places.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::handshake {

struct ExtensionAgreement;
struct Offer;
class Groups;

// The data for the extensions of a ClientHello.
struct HelloContents {
  const ConfigOptions& config;
  const Groups& groups;
  const Offer& offer;
  Instant now;  // the ages of tickets are counted up to this time
};

struct ExtensionRow {
  wire::ExtensionType type;
  // The messages that RFC 8446 section 4.2 lists for it.
  ExtensionPlaces places;
  // Whether a client's hellos have it by the Config alone, so that a server may answer it. Null:
  // that depends on the Offer, and the answer is checked where it is read.
  bool (*is_offered)(const ConfigOptions& config);
  // Writes it to a ClientHello. Null: a client does not send it.
  Result<void> (*put)(wire::Writer& out, const HelloContents& hello);
  // Null: no agreement, or one of a single version, which handles it.
  const ExtensionAgreement* agreement;
};

// In the order of our ClientHello, and of the server's answers.
std::span<const ExtensionRow> extension_table();

// Whether RFC 8446 section 4.2 lists the message for the extension; false for unknown extensions.
bool belongs_in(wire::ExtensionType type, ExtensionPlaces place);
bool all_belong_in(const message::ExtensionBlock& extensions, ExtensionPlaces place);

// Whether our ClientHello has the extension by the Config alone, so that the server may answer it.
bool is_offered(const ConfigOptions& config, wire::ExtensionType type);

// Writes all extensions of a ClientHello.
Result<void> put_offered_extensions(wire::Writer& out, const HelloContents& hello);

}  // namespace sluice::dtls::handshake
