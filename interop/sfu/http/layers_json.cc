#include "sfu/http/layers_json.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace sluice::interop::sfu {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson layers_of(const Track& track, dtls::Instant now) {
  std::vector<const Layer*> layers;
  for (const Layer& layer : track.layers()) layers.push_back(&layer);
  // The order of LayerChoice. Those that took the same stay in that of the offer, which is that of
  // their addresses.
  std::ranges::sort(
      layers, {}, [now](const Layer* layer) { return std::pair(~layer->rate().peak(now), layer); });
  OrderedJson active = OrderedJson::array();
  OrderedJson inactive = OrderedJson::array();
  for (const Layer* layer : layers) {
    const std::uint64_t rate = layer->rate().bits_per_second(now);
    if (rate > 0) {
      active.push_back({{"encodingId", layer->rid()}, {"bitrate", rate}});
    } else {
      inactive.push_back({{"encodingId", layer->rid()}});
    }
  }
  return {{"active", std::move(active)}, {"inactive", std::move(inactive)}};
}

// Empty: it is not there. Null and an empty text are the same.
tl::expected<std::string, std::string> text_of(const nlohmann::json& wish, const char* name) {
  const auto found = wish.find(name);
  if (found == wish.end() || found->is_null()) return std::string{};
  if (!found->is_string()) return tl::unexpected(std::string{name} + " must be a text or null.");
  return found->get<std::string>();
}

}  // namespace

std::string layers_json(const Viewer& viewer, dtls::Instant now) {
  OrderedJson sections = OrderedJson::object();
  for (const ViewerStream& stream : viewer.streams()) {
    if (stream.agreed.kind != SectionKind::video || stream.track == nullptr) continue;
    OrderedJson section = layers_of(*stream.track, now);
    const Layer* const shown = stream.subscription.shown;
    section["shown"] = shown != nullptr ? OrderedJson(shown->rid()) : OrderedJson();
    section["asked"] = stream.asked_rid.empty() ? OrderedJson() : OrderedJson(stream.asked_rid);
    sections[stream.agreed.mid] = std::move(section);
  }
  // A MID may be any bytes.
  return sections.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

tl::expected<LayerWish, std::string> read_layer_wish(const std::string& json) {
  const auto wish = nlohmann::json::parse(json, nullptr, false);
  if (!wish.is_object()) return tl::unexpected<std::string>("The body is no JSON object.");
  auto mid = text_of(wish, "mediaId");
  auto rid = text_of(wish, "encodingId");
  if (!mid) return tl::unexpected(mid.error());
  if (!rid) return tl::unexpected(rid.error());
  return LayerWish{.mid = *std::move(mid), .rid = *std::move(rid)};
}

}  // namespace sluice::interop::sfu
